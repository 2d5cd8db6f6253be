"""Estimate the deaths of one case."""

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.estimates import estimate_case

    estimate_case(
        case_name=snakemake.wildcards.case,
        case_config=snakemake.params.case,
        fit_nc=snakemake.input.posterior,
        out_estimates=snakemake.output.estimates,
        out_draws=snakemake.output.draws,
    )
