"""Estimate the numbers of one case."""

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.estimates import estimate_case

    estimate_case(
        case_name=snakemake.wildcards.case,
        fits=dict(zip(snakemake.params.models, snakemake.input.posteriors, strict=True)),
        out_estimates=snakemake.output.estimates,
        out_draws=snakemake.output.draws,
    )
