"""Draw the figures of one case."""

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.figures import draw_case

    draw_case(
        case_name=snakemake.params.case_name,
        case_config=snakemake.params.case,
        case_folder=snakemake.params.case_folder,
        out_folder=snakemake.params.out_folder,
    )
