"""Write what calibration found of the model that puts sources together."""

from uncounted.console import job

with job(snakemake.log[0], "calibration"):
    from uncounted.report.calibration_synthesis import write_page

    write_page(
        config=snakemake.params.config,
        run=snakemake.wildcards.which,
        worlds=snakemake.input.worlds,
        out_folder=snakemake.params.out_folder,
    )
