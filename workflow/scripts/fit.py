"""Fit the models of one case."""

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.models import fit_case

    fit_case(
        case_name=snakemake.params.case_name,
        case_config=snakemake.params.case,
        evidence_folder=snakemake.params.evidence_folder,
        out_folder=snakemake.params.out_folder,
        seed=snakemake.params.seed,
    )
