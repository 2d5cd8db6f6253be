# The estimate as it could have been made on earlier days: snakemake backtest. Not part of `all`.
#
# Its tables go to docs/, where git keeps them and a run reads them. They are no outputs of a rule: a run would make
# them again, and with them the fits of all days.

for case in BACKTESTED:

    rule:
        """Read what git keeps of the estimates of earlier days."""
        name:
            f"recall_backtest_{case}"
        message:
            f"Recall what would have been estimated earlier of {case}"
        input:
            # Where there is none, the script says what to do.
            kept=[path for path in BACKTEST_KEPT if exists(path)],
        output:
            tables=backtest_of(case),
        log:
            f"<run>/{case}/logs/backtest.log",
        params:
            case_name=case,
            dates=CASES[case]["backtest"]["dates"],
            kept=BACKTEST_KEPT,
            content=content(BACKTEST_KEPT),
            out_folder=lambda w, output: dirname(output.tables[0]),
            code=digest("checks.backtest_dates"),
        conda:
            "../../envs/environment.yaml"
        script:
            "../scripts/backtest_recall.py"


if BACKTESTED:
    BACKTEST = "results/backtest"

    rule backtest_date:
        """Fit the model to what was published by a day."""
        message:
            "Estimate {wildcards.case} as of {wildcards.day}"
        input:
            evidence=lambda w: evidence_of(w.case),
            cleaned=f"{RUN}/{{case}}/logs/clean.done",
        output:
            rows=f"{BACKTEST}/{{case}}/{{day}}.parquet",
            published=f"{BACKTEST}/{{case}}/{{day}}_published.parquet",
        log:
            f"{BACKTEST}/logs/{{case}}_{{day}}.log",
        wildcard_constraints:
            day=r"\d{4}-\d{2}-\d{2}",
        params:
            case=lambda w: without(CASES[w.case], "sampling", *WORDS, *CLEANED),
            evidence_folder=lambda w, input: dirname(input.evidence[0]),
            out_folder=lambda w, output: dirname(output.rows),
            seed=STUDY["seed"],
            code=lambda w: digest("checks.backtest_dates", "checks.convergence", *fitting_code(w.case), "inference"),
        threads: 2
        resources:
            mem_mb=2000,
        conda:
            "../../envs/environment.yaml"
        script:
            "../scripts/backtest_date.py"

    rule backtest_page:
        """Put the estimates of all days side by side: tables, figures, and the page that says what they mean."""
        message:
            "Write what would have been estimated earlier"
        input:
            rows=[f"{BACKTEST}/{case}/{day}.parquet" for case in BACKTESTED for day in CASES[case]["backtest"]["dates"]],
            published=[
                f"{BACKTEST}/{case}/{day}_published.parquet"
                for case in BACKTESTED
                for day in CASES[case]["backtest"]["dates"]
            ],
        output:
            page=f"{BACKTEST}/backtest.md",
            tables=[path.replace("docs/", f"{BACKTEST}/") for path in BACKTEST_KEPT],
            figures=[f"{BACKTEST}/backtest/{case}.svg" for case in BACKTESTED],
        log:
            f"{BACKTEST}/logs/page.log",
        params:
            cases={case: part(CASES[case], "title", "sources", "backtest") for case in BACKTESTED},
            out_folder=lambda w, output: dirname(output.page),
            code=digest("report.backtest", "figures.backtest"),
        conda:
            "../../envs/environment.yaml"
        script:
            "../scripts/backtest_page.py"

    rule backtest:
        """Put the page, its tables and its figures where git keeps them."""
        message:
            "Copy the page to docs/"
        input:
            made=rules.backtest_page.output,
        output:
            done=touch(f"{BACKTEST}/logs/kept.done"),
        log:
            f"{BACKTEST}/logs/copy.log",
        params:
            kept=lambda w, input: [path.replace(BACKTEST, "docs", 1) for path in input.made],
            # A page that somebody removed is put there again.
            missing=[path for path in BACKTEST_KEPT if not exists(path)],
        conda:
            "../../envs/environment.yaml"
        script:
            "../scripts/backtest_keep.py"
