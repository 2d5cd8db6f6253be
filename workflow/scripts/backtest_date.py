"""Estimate what would have been estimated on one day."""

from uncounted.console import job

with job(snakemake.log[0], f"{snakemake.wildcards.case} as of {snakemake.wildcards.day}"):
    from uncounted.checks.backtest_dates import run_date

    run_date(
        case_name=snakemake.wildcards.case,
        case_config=snakemake.params.case,
        evidence_folder=snakemake.params.evidence_folder,
        day=snakemake.wildcards.day,
        seed=snakemake.params.seed,
        out_folder=snakemake.params.out_folder,
    )
