# fits/ -> checks/: did it converge, does it fit, what does the answer hang on?


rule check:
    """Put the fit to every check, and write down what was seen and what was wanted."""
    message:
        "Check the fit of {wildcards.case}"
    input:
        posterior=lambda w: fit_of(w.case),
        without=lambda w: fit_of(w.case).replace(".nc", "_without.parquet"),
        evidence=lambda w: evidence_of(w.case),
        fitted=lambda w: f"{RUN}/{w.case}/logs/fit_{CASES[w.case]['model']}.done",
    output:
        **{name: update(f"<run>/{{case}}/checks/{name}.parquet") for name in CHECKS},
        done=touch("<run>/{case}/logs/check.done"),
    log:
        "<run>/{case}/logs/check.log",
    params:
        case=lambda w: without(CASES[w.case], "title", "kind", *CLEANED),
        evidence_folder=lambda w, input: dirname(input.evidence[0]),
        out_folder=lambda w, output: dirname(output.convergence),
        seed=STUDY["seed"],
        code=digest("checks", "models", "inference"),
    threads: 2
    resources:
        mem_mb=2000,
    conda:
        "../../envs/environment.yaml"
    script:
        "../scripts/check.py"


rule judge:
    """Stop here if the fit has not converged, unless the config allows it."""
    message:
        "Judge whether the fit of {wildcards.case} may be reported"
    input:
        convergence="<run>/{case}/checks/convergence.parquet",
        checked="<run>/{case}/logs/check.done",
    output:
        done=touch("<run>/{case}/logs/judge.done"),
    log:
        "<run>/{case}/logs/judge.log",
    params:
        allow_unconverged=STUDY["allow_unconverged"],
        code=digest("checks"),
    conda:
        "../../envs/environment.yaml"
    script:
        "../scripts/judge.py"
