# fits/ -> estimates: draws and summaries, by stratum and in all.


rule estimate:
    """Turn the posteriors into the numbers that people quote."""
    message:
        "Estimate the numbers of {wildcards.case}"
    input:
        posteriors=lambda w: posteriors_of(w.case),
        judged="<run>/{case}/logs/judge.done",
    output:
        estimates=update("<run>/{case}/estimates.parquet"),
        draws=update("<run>/{case}/draws.parquet"),
        done=touch("<run>/{case}/logs/estimate.done"),
    log:
        "<run>/{case}/logs/estimate.log",
    params:
        models=lambda w: MODELS[w.case],
        code=digest("estimates"),
    conda:
        "../../envs/environment.yaml"
    script:
        "../scripts/estimate.py"


rule collect:
    """Put the estimates of all cases into one table, as Parquet, CSV and JSON."""
    message:
        "Collect the estimates of all cases"
    input:
        estimates=expand("<run>/{case}/estimates.parquet", case=CASES),
        estimated=expand("<run>/{case}/logs/estimate.done", case=CASES),
    output:
        parquet=update("<run>/estimates.parquet"),
        csv=update("<run>/estimates.csv"),
        json=update("<run>/estimates.json"),
        done=touch("<run>/logs/collect.done"),
    log:
        "<run>/logs/collect.log",
    params:
        code=digest("estimates"),
    conda:
        "../../envs/environment.yaml"
    script:
        "../scripts/collect.py"
