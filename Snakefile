# The whole study, from the figures as published to results/<release>/report.html:
#
#     snakemake                                      the release named in config/config.yaml
#     snakemake --config release=2026.11             another one
#     snakemake -n                                   what would be done, and why
#
# Each file in workflow/rules/ is one stage, in the order of the list below.

from snakemake.utils import min_version

from uncounted import console, files
from uncounted.config import read_config

min_version("9.27")

with console.plain_errors():
    STUDY = read_config("config/config.yaml", overrides=config, typed=workflow.config_settings.config_args)
    for folder in (".snakemake", f"results/{STUDY['release']}"):
        files.check_writable(folder)


pathvars:
    run=f"results/{STUDY['release']}",


wildcard_constraints:
    case="|".join(STUDY["cases"]),


include: "workflow/rules/common.smk"
include: "workflow/rules/clean.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/check.smk"
include: "workflow/rules/estimate.smk"
include: "workflow/rules/draw.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/release.smk"
include: "workflow/rules/calibration.smk"
include: "workflow/rules/backtest.smk"


rule all:
    """The report, and the manifest that ties it to what it was made of."""
    input:
        "<run>/report.html",
        "<run>/manifest.json",
        done(),
