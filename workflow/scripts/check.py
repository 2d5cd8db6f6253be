"""Check the fits of one case."""

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.checks import check_case

    check_case(
        case_name=snakemake.params.case_name,
        case_config=snakemake.params.case,
        evidence_folder=snakemake.params.evidence_folder,
        fits_folder=snakemake.params.fits_folder,
        out_folder=snakemake.params.out_folder,
        seed=snakemake.params.seed,
    )
