# Everything above -> report.html: one file that opens anywhere.

FIGURES = sorted({table for case in CASES for table in TABLES[case]})
CONFIG = ["config/config.yaml", *(f"config/cases/{case}.yaml" for case in CASES)]


rule record:
    """Write down what the release is made of: commit, figures, settings, packages."""
    message:
        "Record code, figures and settings"
    input:
        figures=FIGURES,
        described=descriptions(),
        kept=[path for path in BACKTEST_KEPT if exists(path)],
        config=CONFIG,
        # Not earlier: a run that stops before there are new estimates must not change what is said of the old.
        collected="<run>/logs/collect.done",
    output:
        provenance=update("<run>/provenance.json"),
        done=touch("<run>/logs/record.done"),
    log:
        "<run>/logs/record.log",
    params:
        config=STUDY,
        state=code_state(),
        # Not by way of `input`: Snakemake does not compare what follows from it.
        content=content([*FIGURES, *CONFIG, *descriptions(), *BACKTEST_KEPT]),
        # Not an input: to Snakemake that would be a reason to calibrate, which takes hours.
        calibration=content([CALIBRATION, SYNTHESIS_CALIBRATION]),
        code=digest("config", "evidence", "models", "inference", "checks", "estimates", "figures", "report"),
        recorder=digest("provenance"),
    conda:
        "../../envs/environment.yaml"
    script:
        "../scripts/record.py"


rule report:
    """Write the report: the answer, how it was reached, what it hangs on, and where each number is from."""
    message:
        "Write the report"
    input:
        provenance="<run>/provenance.json",
        estimates="<run>/estimates.parquet",
        draws=expand("<run>/{case}/draws.parquet", case=CASES),
        checks=[check for case in CASES for check in [*checks_of(case), *backtest_of(case)]],
        evidence=[table for case in CASES for table in evidence_of(case)],
        figures=[figure for case in CASES for figure in figures_of(case)],
        recorded="<run>/logs/record.done",
        collected="<run>/logs/collect.done",
        drawn=expand("<run>/{case}/logs/draw.done", case=CASES),
    output:
        html=update("<run>/report.html"),
        done=touch("<run>/logs/report.done"),
    log:
        "<run>/logs/report.log",
    params:
        release_folder=lambda w, input: dirname(input.provenance),
        code=digest("report"),
    conda:
        "../../envs/environment.yaml"
    script:
        "../scripts/report.py"
