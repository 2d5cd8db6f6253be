# data/<case>/ -> evidence/: tidy tables, the rows that were refused, and the questions that remain.

for case, study in CASES.items():

    rule:
        """Read the tables as published, refuse what cannot be read, and reconcile rows and people."""
        name:
            f"clean_{case}"
        message:
            f"Clean the tables of {case}"
        input:
            tables=TABLES[case],
        output:
            tables=update(evidence_of(case)),
            found=update([f"<run>/{case}/evidence/{name}.csv" for name in ("questions", "reconciliation")]),
            done=touch(f"<run>/{case}/logs/clean.done"),
        log:
            f"<run>/{case}/logs/clean.log",
            # A log, because the person wants it most when the step has failed.
            refused=f"<run>/{case}/evidence/refused.csv",
        params:
            case=part(study, *TO_CLEAN[study["kind"]]),
            content=content(TABLES[case]),
            data_folder=lambda w, input: dirname(input.tables[0]),
            out_folder=lambda w, output: dirname(output.found[0]),
            code=digest("evidence"),
        # Of all studies before the minutes of any fit: what is wrong with a table is said at once.
        priority: SAID_AT_ONCE
        conda:
            "../../envs/environment.yaml"
        script:
            "../scripts/clean.py"
