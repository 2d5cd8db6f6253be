# evidence/ -> fits/: the posterior, from all sources and without each of them in turn.


rule fit:
    """Draw from the posterior of the model, then again without each source in turn."""
    message:
        "Draw from the posterior of {wildcards.case} (model {wildcards.model})"
    input:
        evidence=lambda w: evidence_of(w.case),
        cleaned="<run>/{case}/logs/clean.done",
    output:
        posterior=update("<run>/{case}/fits/{model}.nc"),
        without=update("<run>/{case}/fits/{model}_without.parquet"),
        done=touch("<run>/{case}/logs/fit_{model}.done"),
    log:
        "<run>/{case}/logs/fit_{model}.log",
    wildcard_constraints:
        model="|".join(sorted({study["model"] for study in CASES.values()})),
    params:
        case=lambda w: without(CASES[w.case], "title", "kind", "checks", *CLEANED),
        evidence_folder=lambda w, input: dirname(input.evidence[0]),
        seed=STUDY["seed"],
        code=digest("models", "inference"),
    threads: 2
    resources:
        mem_mb=2000,
    conda:
        "../../envs/environment.yaml"
    script:
        "../scripts/fit.py"
