# estimates -> figures/: one picture a question, each as SVG and PNG.

for case, study in CASES.items():

    rule:
        """Draw the figures of the case; one that cannot be drawn is an error."""
        name:
            f"draw_{case}"
        message:
            f"Draw the figures of {case}"
        input:
            estimates=f"<run>/{case}/estimates.parquet",
            draws=f"<run>/{case}/draws.parquet",
            checks=[*checks_of(case), *backtest_of(case)],
            evidence=evidence_of(case),
            estimated=f"<run>/{case}/logs/estimate.done",
        output:
            figures=update(figures_of(case)),
            done=touch(f"<run>/{case}/logs/draw.done"),
        log:
            f"<run>/{case}/logs/draw.log",
        params:
            case_name=case,
            case=without(study, "priors", "sampling", "checks", *CLEANED),
            case_folder=lambda w, input: dirname(input.estimates),
            out_folder=lambda w, output: dirname(output.figures[0]),
            code=digest("figures"),
        # The longest first, so that it is not left to run alone.
        priority: int(study["kind"] == "evidence_synthesis")
        conda:
            "../../envs/environment.yaml"
        script:
            "../scripts/draw.py"


rule headline:
    """Show the answer of the first case as the figure of the whole release."""
    message:
        "Set the headline figure of the release"
    input:
        svg=f"<run>/{next(iter(CASES))}/figures/headline.svg",
        png=f"<run>/{next(iter(CASES))}/figures/headline.png",
        drawn=f"<run>/{next(iter(CASES))}/logs/draw.done",
    output:
        svg=update("<run>/headline.svg"),
        png=update("<run>/headline.png"),
        done=touch("<run>/logs/headline.done"),
    log:
        "<run>/logs/headline.log",
    conda:
        "../../envs/environment.yaml"
    script:
        "../scripts/headline.py"
