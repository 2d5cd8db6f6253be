"""Put the page of the back-test where git keeps it."""

import shutil

from uncounted.console import job

with job(snakemake.log[0], "backtest"):
    from uncounted.files import atomic_path

    for made, kept in zip(snakemake.input.made, snakemake.params.kept, strict=True):
        with atomic_path(kept) as part:
            shutil.copyfile(made, part)
