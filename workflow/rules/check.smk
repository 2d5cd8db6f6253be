# fits/ -> checks/: did it converge, does it fit, what does the answer hang on?

for case, study in CASES.items():

    rule:
        """Put the fits to every check, and write down what was seen and what was wanted."""
        name:
            f"check_{case}"
        message:
            f"Check the fit of {case}"
        input:
            fits=fits_of(case),
            evidence=evidence_of(case),
            fitted=f"<run>/{case}/logs/fit.done",
        output:
            checks=update(checks_of(case)),
            done=touch(f"<run>/{case}/logs/check.done"),
        log:
            f"<run>/{case}/logs/check.log",
        params:
            case_name=case,
            case=without(study, "backtest", *WORDS, *CLEANED),
            evidence_folder=lambda w, input: dirname(input.evidence[0]),
            fits_folder=lambda w, input: dirname(input.fits[0]),
            out_folder=lambda w, output: dirname(output.checks[0]),
            seed=STUDY["seed"],
            code=digest("checks", "models", "inference"),
        # Before the minutes of the next fit: one that may not be reported is said at once.
        priority: SAID_AT_ONCE
        threads: 1
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
        weights=lambda w: weights_of(w.case),
        checked="<run>/{case}/logs/check.done",
    output:
        done=touch("<run>/{case}/logs/judge.done"),
    log:
        "<run>/{case}/logs/judge.log",
    params:
        allow_unconverged=STUDY["allow_unconverged"],
        code=digest("checks"),
    priority: SAID_AT_ONCE
    conda:
        "../../envs/environment.yaml"
    script:
        "../scripts/judge.py"
