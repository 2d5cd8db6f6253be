"""Check the fit of one case."""

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.checks import check_case

    check_case(
        case_name=snakemake.wildcards.case,
        case_config=snakemake.params.case,
        evidence_folder=snakemake.params.evidence_folder,
        fit_nc=snakemake.input.posterior,
        without_parquet=snakemake.input.without,
        out_folder=snakemake.params.out_folder,
        seed=snakemake.params.seed,
    )
