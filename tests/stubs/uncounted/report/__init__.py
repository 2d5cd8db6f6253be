import json
from pathlib import Path

TEMPLATE = Path(__file__).parent / "report.html.j2"


def write_report(*, provenance_json, release_folder, out_html):
    made_of = json.loads(Path(provenance_json).read_text())
    estimates = (Path(release_folder) / "estimates.csv").read_text()
    Path(out_html).write_text(f"{TEMPLATE.read_text()}{made_of['release']} {made_of['commit']}\n{estimates}")
