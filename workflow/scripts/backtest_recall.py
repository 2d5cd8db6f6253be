"""Read what git keeps of the estimates of earlier days."""

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.checks.backtest_dates import recall

    recall(
        case_name=snakemake.params.case_name,
        dates=snakemake.params.dates,
        kept=snakemake.params.kept,
        out_folder=snakemake.params.out_folder,
    )
