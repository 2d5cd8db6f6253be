"""Write what calibration found."""

from uncounted.console import job

with job(snakemake.log[0], "calibration"):
    from uncounted.report.calibration import write_page

    write_page(
        config=snakemake.params.config,
        run=snakemake.wildcards.which,
        fits=snakemake.input.fits,
        ranks=snakemake.input.ranks,
        out_folder=snakemake.params.out_folder,
    )
