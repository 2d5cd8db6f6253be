"""Record what the release is made of."""

from uncounted.console import job

with job(snakemake.log[0]):
    from uncounted.provenance import write_provenance

    write_provenance(
        config=snakemake.params.config,
        inputs=[
            *snakemake.input.figures,
            *snakemake.input.described,
            *snakemake.input.kept,
            *snakemake.input.config,
            *snakemake.params.calibration,
        ],
        out_json=snakemake.output.provenance,
    )
