"""Fit a batch of populations whose number is known."""

from uncounted.console import job

with job(snakemake.log[0], f"calibrate {snakemake.wildcards.lists} lists, batch {snakemake.wildcards.batch}"):
    from uncounted.checks.calibration import run_batch

    run_batch(
        config=snakemake.params.config,
        seed=snakemake.params.seed,
        lists=int(snakemake.wildcards.lists),
        batch=int(snakemake.wildcards.batch),
        out_parquet=snakemake.output.fits,
    )
