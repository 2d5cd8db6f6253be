"""Fit a batch of worlds whose deaths are known."""

from uncounted.console import job

with job(snakemake.log[0], f"calibrate the synthesis, batch {snakemake.wildcards.batch}"):
    from uncounted.checks.synthesis_calibration import run_batch

    run_batch(
        config=snakemake.params.config,
        seed=snakemake.params.seed,
        case_config=snakemake.params.case,
        evidence_folder=snakemake.params.evidence_folder,
        batch=int(snakemake.wildcards.batch),
        out_parquet=snakemake.output.fits,
    )
