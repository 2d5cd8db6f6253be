# The manifest of the release, and what happens before the first step and after the last.


rule manifest:
    """List every file of the release, and all that it was made of, each with its SHA-256."""
    message:
        "Write the manifest"
    input:
        provenance="<run>/provenance.json",
        files=[
            f"{RUN}/provenance.json",
            f"{RUN}/report.html",
            *(f"{RUN}/headline.{suffix}" for suffix in ("svg", "png")),
            *(f"{RUN}/estimates.{suffix}" for suffix in ("parquet", "csv", "json")),
            *(table for case in CASES for table in evidence_of(case)),
            *(f"{RUN}/{case}/evidence/{name}.csv" for case in CASES for name in ("questions", "reconciliation")),
            *(fit for case in CASES for fit in fits_of(case)),
            *(check for case in CASES for check in [*checks_of(case), *backtest_of(case)]),
            *(f"{RUN}/{case}/{name}.parquet" for case in CASES for name in ("estimates", "draws")),
            *(figure for case in CASES for figure in figures_of(case)),
        ],
        reported="<run>/logs/report.done",
        headed="<run>/logs/headline.done",
    output:
        # Without update(): beside other files than it lists, an earlier manifest would be wrong.
        manifest="<run>/manifest.json",
    log:
        "<run>/logs/manifest.log",
    params:
        release_folder=lambda w, input: dirname(input.provenance),
        # Logs to Snakemake, and files of the release all the same.
        refused=[f"{RUN}/{case}/evidence/refused.csv" for case in CASES],
        code=digest("provenance"),
    conda:
        "../../envs/environment.yaml"
    script:
        "../scripts/manifest.py"


onstart:
    with console.plain_errors():
        files.check_space(".")
        files.hold_lock(".snakemake/uncounted.lock")
        refuse_if_sealed(RUN)
    console.interrupt_jobs_too()


onsuccess:
    if exists(f"{RUN}/report.html"):
        print(f"The report: {RUN}/report.html", file=sys.stderr)
