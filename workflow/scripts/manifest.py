"""Write the manifest of the release."""

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.provenance import write_manifest

    write_manifest(
        provenance_json=snakemake.input.provenance,
        release_folder=snakemake.params.release_folder,
        files=[*snakemake.input.files, *snakemake.params.refused],
        out_json=snakemake.output.manifest,
    )
