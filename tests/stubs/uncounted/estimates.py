import json
from pathlib import Path

COLUMNS = "case,quantity,level,mean,median,lower,upper,mcse_mean,mcse_median,mcse_lower,mcse_upper"


def estimate_case(*, case_name, fits, out_estimates, out_draws):
    mean = float(Path(next(iter(fits.values()))).read_text())
    numbers = [mean, mean, mean - 1, mean + 1, 0.1, 0.1, 0.1, 0.1]
    Path(out_estimates).write_text(",".join([case_name, "deaths", "0.95", *map(str, numbers)]))
    Path(out_draws).write_text(str(mean))


def collect_estimates(*, estimates, out_parquet, out_csv, out_json):
    rows = [Path(path).read_text() for path in estimates]
    Path(out_parquet).write_text("\n".join(rows))
    Path(out_csv).write_text("\n".join([COLUMNS, *rows]) + "\n")
    Path(out_json).write_text(json.dumps(rows))
