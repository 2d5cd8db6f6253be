"""Collect the estimates of all cases."""

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.estimates import collect_estimates

    collect_estimates(
        estimates=snakemake.input.estimates,
        out_parquet=snakemake.output.parquet,
        out_csv=snakemake.output.csv,
        out_json=snakemake.output.json,
    )
