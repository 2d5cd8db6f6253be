"""Fit the model of one case."""

from uncounted.console import job

with job(snakemake.log[0], f"fit {snakemake.wildcards.case}"):
    from uncounted.models import fit_case

    fit_case(
        case_name=snakemake.wildcards.case,
        case_config=snakemake.params.case,
        evidence_folder=snakemake.params.evidence_folder,
        out_nc=snakemake.output.posterior,
        out_without=snakemake.output.without,
        seed=snakemake.params.seed,
    )
