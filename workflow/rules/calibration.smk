# Populations and worlds whose number is known, through the models of the studies: snakemake calibration, or a part of it,
# snakemake calibration_lists and calibration_synthesis. Not part of `all`.

if exists("config/calibration.yaml"):
    from uncounted.checks import calibration_plan as plan

    with console.plain_errors():
        CALIBRATION = plan.read_calibration()
    CALIBRATED = "results/calibration/{which}"

    rule calibrate_batch:
        """Simulate and fit a batch of populations: all kinds, one number of lists."""
        message:
            "Fit populations of {wildcards.lists} lists, batch {wildcards.batch} ({wildcards.which})"
        output:
            fits=f"{CALIBRATED}/populations/{{lists}}_lists_{{batch}}.parquet",
        log:
            f"{CALIBRATED}/logs/{{lists}}_lists_{{batch}}.log",
        wildcard_constraints:
            which="|".join(plan.RUNS),
            lists=r"\d",
            batch=r"\d+",
        params:
            config=without(CALIBRATION, "seeds", "batches", "lists", "synthesis", "ranks"),
            seed=lambda w: CALIBRATION["seeds"][w.which],
            code=plan.code_of("checks.calibration"),
        resources:
            mem_mb=2000,
            runtime=120,
        conda:
            "../../envs/environment.yaml"
        script:
            "../scripts/calibrate.py"

    rule calibrate_ranks:
        """Simulate from the prior of a model, fit, and rank the truth among the draws."""
        message:
            "Rank truths drawn from the prior of {wildcards.model}, {wildcards.lists} lists, "
            "strata: {wildcards.strata} ({wildcards.which})"
        output:
            ranks=f"{CALIBRATED}/ranks/{{model}}_{{lists}}_lists_{{strata}}_strata_{{batch}}.parquet",
        log:
            f"{CALIBRATED}/logs/{{model}}_{{lists}}_lists_{{strata}}_strata_{{batch}}.log",
        wildcard_constraints:
            which="|".join(plan.RUNS),
            model="loglinear|latent_class",
            lists=r"\d",
            strata=r"\d+",
            batch=r"\d+",
        params:
            config=part(CALIBRATION, "sampling", "checks") | part(CALIBRATION["ranks"], "simulations", "seen"),
            seed=lambda w: CALIBRATION["seeds"][w.which],
            code=plan.code_of("checks.simulation_based"),
        resources:
            mem_mb=2000,
            runtime=120,
        conda:
            "../../envs/environment.yaml"
        script:
            "../scripts/calibrate_ranks.py"

    SIMULATED = CALIBRATION["synthesis"]["case"]

    # Of a run of other studies alone there is nothing to simulate the synthesis from.
    if SIMULATED in CASES:

        rule calibrate_synthesis:
            """Simulate all figures of a study from known deaths, and fit the model that puts sources together."""
            message:
                "Fit worlds whose deaths are known, batch {wildcards.batch} ({wildcards.which})"
            input:
                evidence=evidence_of(SIMULATED),
                cleaned=f"{RUN}/{SIMULATED}/logs/clean.done",
            output:
                fits=f"{CALIBRATED}/synthesis/synthesis_{{batch}}.parquet",
            log:
                f"{CALIBRATED}/logs/synthesis_{{batch}}.log",
            wildcard_constraints:
                which="|".join(plan.RUNS),
                batch=r"\d+",
            params:
                config=without(CALIBRATION["synthesis"], "batches") | part(CALIBRATION, "checks"),
                case=without(CASES[SIMULATED], "sampling", "checks", "backtest", *WORDS, *CLEANED),
                evidence_folder=lambda w, input: dirname(input.evidence[0]),
                seed=lambda w: CALIBRATION["seeds"][w.which],
                code=plan.code_of("checks.synthesis_calibration", fitted=["synthesis"]),
            threads: 2
            resources:
                mem_mb=2000,
                runtime=120,
            conda:
                "../../envs/environment.yaml"
            script:
                "../scripts/calibrate_synthesis.py"

        rule calibration_synthesis_page:
            """Sum up all worlds: the table, and the page that says what it means."""
            message:
                "Write what calibration found of the synthesis ({wildcards.which})"
            input:
                worlds=lambda w: [
                    f"results/calibration/{w.which}/synthesis/{batch}.parquet"
                    for batch in plan.synthesis_batches_of(CALIBRATION, w.which)
                ],
            output:
                page=f"{CALIBRATED}/calibration_synthesis.md",
                table=f"{CALIBRATED}/calibration/synthesis.csv",
            log:
                f"{CALIBRATED}/logs/synthesis_page.log",
            wildcard_constraints:
                which="|".join(plan.RUNS),
            params:
                config=CALIBRATION,
                out_folder=lambda w, output: dirname(output.page),
                code=digest("report.calibration_synthesis", "checks.synthesis_calibration"),
            conda:
                "../../envs/environment.yaml"
            script:
                "../scripts/calibrate_synthesis_page.py"

    rule calibration_page:
        """Sum up all batches: the table, the figures, and the page that says what they mean."""
        message:
            "Write what calibration found ({wildcards.which})"
        input:
            fits=lambda w: [
                f"results/calibration/{w.which}/populations/{batch}.parquet"
                for batch in plan.batches_of(CALIBRATION, w.which)
            ],
            ranks=lambda w: [
                f"results/calibration/{w.which}/ranks/{batch}.parquet"
                for batch in plan.rank_batches_of(CALIBRATION, w.which)
            ],
        output:
            page=f"{CALIBRATED}/calibration.md",
            table=f"{CALIBRATED}/calibration/table.csv",
            uniformity=f"{CALIBRATED}/calibration/ranks.csv",
            figures=[f"{CALIBRATED}/calibration/{name}.svg" for name in plan.figures_of(CALIBRATION)],
        log:
            f"{CALIBRATED}/logs/page.log",
        wildcard_constraints:
            which="|".join(plan.RUNS),
        params:
            config=CALIBRATION,
            out_folder=lambda w, output: dirname(output.page),
            code=digest("report.calibration", "figures.calibration", "checks.calibration_table"),
        conda:
            "../../envs/environment.yaml"
        script:
            "../scripts/calibrate_page.py"

    PAGES = {"lists": rules.calibration_page.output}
    if SIMULATED in CASES:
        PAGES["synthesis"] = rules.calibration_synthesis_page.output

    for page, made in PAGES.items():

        rule:
            """Put a page of the published calibration, with its tables and figures, where git keeps it."""
            name:
                f"calibration_{page}"
            message:
                f"Copy the page to docs/ ({page})"
            input:
                made=expand(made, which="published"),
            output:
                kept=update([path.replace(f"{CALIBRATED}/", "docs/") for path in made]),
            log:
                f"results/calibration/published/logs/copy_{page}.log",
            conda:
                "../../envs/environment.yaml"
            script:
                "../scripts/calibrate_copy.py"

    rule calibration:
        """All pages of the published calibration."""
        input:
            [path.replace(f"{CALIBRATED}/", "docs/") for made in PAGES.values() for path in made],

    rule calibration_development:
        """The pages of the populations and worlds on which models are developed: results/calibration/development/."""
        input:
            [expand(made, which="development") for made in PAGES.values()],
