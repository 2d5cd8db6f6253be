# evidence/ -> fits/: the posterior of each model, and again without each source or list in turn.

for case, study in CASES.items():

    rule:
        """Draw from the posterior of each model, then again without each source or list in turn."""
        name:
            f"fit_{case}"
        message:
            f"Draw from the posterior of {case} (model {study['model']})"
        input:
            evidence=evidence_of(case),
            cleaned=f"<run>/{case}/logs/clean.done",
        output:
            fits=update(fits_of(case)),
            done=touch(f"<run>/{case}/logs/fit.done"),
        log:
            f"<run>/{case}/logs/fit.log",
        params:
            case_name=case,
            case=without(study, *NOT_FITTED[study["kind"]]),
            evidence_folder=lambda w, input: dirname(input.evidence[0]),
            out_folder=lambda w, output: dirname(output.fits[0]),
            seed=STUDY["seed"],
            code=digest(*fitting_code(case), "inference"),
        # Compiling keeps one core busy, drawing two: two fits side by side leave none idle.
        threads: 1
        # The longest first, so that none is left to run alone: then those with strata. The small steps fill what is left.
        priority: 1 + 2 * (study["kind"] == "evidence_synthesis") + bool(study.get("strata"))
        resources:
            mem_mb=4000 if study["kind"] == "evidence_synthesis" else 2000,
        conda:
            "../../envs/environment.yaml"
        script:
            "../scripts/fit.py"
