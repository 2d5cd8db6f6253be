"""Clean the tables of one case."""

from pathlib import Path

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.evidence.clean import clean_case

    clean_case(
        snakemake.params.case,
        Path(snakemake.params.data_folder),
        Path(snakemake.params.out_folder),
    )
