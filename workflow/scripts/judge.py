"""Judge whether the fit of one case may be reported."""

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.checks import judge_case

    judge_case(
        case_name=snakemake.wildcards.case,
        convergence_parquet=snakemake.input.convergence,
        weights_parquet=next(iter(snakemake.input.weights), None),
        allow_unconverged=snakemake.params.allow_unconverged,
    )
