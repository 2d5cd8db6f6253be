"""Write the report of the release."""

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.report import write_report

    write_report(
        provenance_json=snakemake.input.provenance,
        release_folder=snakemake.params.release_folder,
        out_html=snakemake.output.html,
    )
