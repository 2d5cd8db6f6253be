"""The report of a release: one HTML file that opens anywhere, each number of it from a table."""

KINDS = {
    "evidence_synthesis": "uncounted.report.evidence_synthesis",
    "multiple_systems_estimation": "uncounted.report.multiple_systems_estimation",
}
"""Which module prepares the tables of which kind of study. It has `view(tables, context)` and `TEMPLATE`."""


def write_report(provenance_json, release_folder, out_html):
    """Write the report of a release as one HTML file.

    Parameters
    ----------
    provenance_json : str or Path
        What the release follows from, as `provenance.write_provenance` wrote it.
    release_folder : str or Path
        The folder of the release, with a folder for each case.
    out_html : str or Path
        The report.

    Raises
    ------
    UserError
        If a table or a figure is missing.
    """
    import json
    import logging
    from importlib import import_module
    from pathlib import Path

    from uncounted.figures.tables import open_tables
    from uncounted.files import atomic_path
    from uncounted.report import page
    from uncounted.report.same_people import same_people

    provenance = json.loads(Path(provenance_json).read_text(encoding="utf-8"))
    configs = provenance["config"]["cases"]
    opened = {name: open_tables(name, config, Path(release_folder) / name) for name, config in configs.items()}
    cases = [
        import_module(KINDS[tables.config["kind"]]).view(tables, provenance)
        | {"same_people": same_people(opened, name)}
        for name, tables in opened.items()
    ]
    html = page.render(provenance, cases)
    with atomic_path(out_html) as part:
        part.write_text(html, encoding="utf-8")
    logging.getLogger("uncounted").info(f"the report is {out_html}")
