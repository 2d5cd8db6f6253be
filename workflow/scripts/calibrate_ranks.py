"""Rank truths drawn from the prior of a model among the draws of its fits."""

from uncounted.console import job

with job(snakemake.log[0], f"ranks {snakemake.wildcards.model}"):
    from uncounted.checks.simulation_based import run_ranks

    run_ranks(
        config=snakemake.params.config,
        seed=snakemake.params.seed,
        model=snakemake.wildcards.model,
        lists=int(snakemake.wildcards.lists),
        strata=int(snakemake.wildcards.strata),
        batch=int(snakemake.wildcards.batch),
        out_parquet=snakemake.output.ranks,
    )
