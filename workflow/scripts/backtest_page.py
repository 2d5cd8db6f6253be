"""Write what would have been estimated on earlier days."""

from uncounted.console import job

with job(snakemake.log[0], "backtest"):
    from uncounted.report.backtest import write_page

    write_page(
        cases=snakemake.params.cases,
        dates=snakemake.input.rows,
        published=snakemake.input.published,
        out_folder=snakemake.params.out_folder,
    )
