"""Numbers, days and months as people read them, in figures and in the report."""

import math
import re

import pandas as pd

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
# Written out, since the names in `calendar` follow the machine's language.

SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def count(value):
    """Write a number of people, with commas: `50,471`."""
    return f"{round(value):,}".replace("-", "−")


def step_for(width):
    """Choose what to round to, given how wide an interval is: two digits of the width survive."""
    return 10 ** max(0, math.floor(math.log10(width)) - 1) if width > 0 else 1


def about(value, width):
    """Round a number as far as its interval's width deserves: 95,731 with a width of 45,000 is `96,000`."""
    step = step_for(width)
    return count(round(value / step) * step)


def step_of(row):
    """Choose what to round the numbers of an estimate to.

    Parameters
    ----------
    row : mapping
        `lower`, `median` and `upper`.

    Returns
    -------
    int
        As :func:`step_for` the width of the interval; a digit more where the interval is so skewed that this is more
        than half of its shorter side, and as many as it takes for the lower end not to become 0, nor either end the
        median.
    """
    lower, median, upper = (row[name] for name in ("lower", "median", "upper"))
    step = step_for(upper - lower)
    if step > min(median - lower, upper - median) / 2:
        step = max(1, step // 10)
    while step > 1 and _lost(step, lower, median, upper):
        step //= 10
    return step


def _lost(step, lower, median, upper):
    """Whether rounding makes the lower end 0, or one end the median, that is not."""
    low, middle, high = (round(value / step) for value in (lower, median, upper))
    return (low == 0 != lower) or (low == middle and lower != median) or (high == middle and upper != median)


def rounded(value, row):
    """Round a number of an estimate as far as its interval deserves; see :func:`step_of`."""
    step = step_of(row)
    return count(round(value / step) * step)


def percent(share, digits=0):
    """Write a share as a percentage, with a thin space: `53 %`."""
    return f"{100 * share:.{digits}f}\u202f%".replace("-", "−")


def with_error(share, error):
    """Write a share with its Monte Carlo error: `94 ± 1 %`; a dash where there is none."""
    return "–" if not math.isfinite(share) else f"{100 * share:.0f} ± {100 * error:.0f}\u202f%"


def signed_percent(share):
    """Write a relative change with its sign: `+3.1 %`; what is 0 as it is written has none."""
    text = percent(abs(share), 1)
    return text if text == percent(0.0, 1) else f"{'−' if share < 0 else '+'}{text}"


def number(value, digits=3):
    """Write a number of any size with so many significant digits, with commas and without exponents."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size >= digits - 1:
        return count(value)
    return f"{value:.{digits - 1 - size}f}".replace("-", "−")


def day(value):
    """Write a day: `7 April 2024`."""
    stamp = pd.Timestamp(value)
    return f"{stamp.day} {MONTHS[stamp.month - 1]} {stamp.year}"


def short_day(value):
    """Write a day where there is little room: `7 Apr 2024`."""
    stamp = pd.Timestamp(value)
    return f"{stamp.day} {MONTHS[stamp.month - 1][:3]} {stamp.year}"


def month(value):
    """Write a month, given as `2024-04`: `April 2024`."""
    year, number_of_month = str(value).split("-")[:2]
    return f"{MONTHS[int(number_of_month) - 1]} {year}"


def short_month(value):
    """Write a month where there is little room: `Apr 2024`."""
    name, year = month(value).split()
    return f"{name[:3]} {year}"


def ages(band):
    """Write an age band with the dash that ranges take: `15–19`."""
    return str(band).replace("-", "–")


def stratum(name):
    """Name a stratum: a month as `Oct 2023`, bands of ages with the dash that ranges take, all else as it is."""
    if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", str(name)):
        return short_month(name)
    return re.sub(r"(?<![\d-])(\d{1,3})-(\d{1,3})(?![\d-])", "\\1–\\2", str(name))


def small(number):
    """Write a small number as a word: `four`."""
    return SMALL[number] if 0 <= number < len(SMALL) else count(number)


_SOURCES = {
    "named_totals": "size of the list",
    "named_by_week": "named by week of death",
    "named_by_age": "named by age",
    "named_in_year": "named dead of one year",
    "registered_deaths": "registered deaths",
    "graves": "graves",
    "ledger": "ledger of prisoners",
    "named_by_week_2025": "the list a year later",
    "published_estimates": "published estimates",
    "published_excess_male_deaths": "published excess male deaths",
    "prisoners": "how soon prisoners died",
    "named_by_region": "named by region",
    "men_by_region": "men by region",
    "named_by_number_of_sources": "named by number of sources",
    "named_by_month_confirmed": "named by month of confirmation",
}

_VARIABLES = {
    "list_increments": "additions to the list",
    "dated_by_month": "dated deaths by month",
    "dated_total": "dated deaths in all",
    "named_ages": "named by age",
    "named_in_year": "named dead of one year",
    "registered_male": "registered male deaths",
    "graves_share": "share of graves named",
    "ledger_share": "share of the ledger’s dead named",
}


_LAWS = {
    "weibull": "Weibull hazard",
    "piecewise": "hazard constant in pieces",
    "kaplan_meier": "Kaplan–Meier",
}

_MODELS = {
    "average": "average of the models",
    "loglinear": "log-linear",
    "latent_class": "latent classes",
    "decomposable": "decomposable graphs",
    "two_lists": "two lists",
}

_METHODS = {
    "independence": "independent lists",
    "best_bic": "log-linear, best BIC",
    "best_bic_pairs": "log-linear, best BIC, pairs only",
    "chao_lower_bound": "Chao’s lower bound",
    "lincoln_petersen": "Lincoln–Petersen",
    "chapman": "Chapman",
}


_SERVICES = {
    "professional": "professional soldiers",
    "private_company": "private companies",
    "guard_and_police": "guard and police",
    "unknown": "kind not known",
}


def service(name):
    """Name a kind of service for readers; one that is not known keeps its name."""
    return _SERVICES.get(name, str(name).replace("_", " "))


def source(name):
    """Name a source of the config for readers; one that is not known keeps its name."""
    return _SOURCES.get(name, str(name).replace("_", " "))


def variable(name):
    """Name an observed variable of a model for readers; one that is not known keeps its name."""
    return _VARIABLES.get(name, str(name).replace("_", " "))


def model(name):
    """Name a model of lists for readers; one that is not known keeps its name."""
    return _MODELS.get(name, str(name).replace("_", " "))


def law(name):
    """Name a law of the hazard for readers; one that is not known keeps its name."""
    return _LAWS.get(name, str(name).replace("_", " "))


def method(name):
    """Name an older method for readers; one that is not known keeps its name."""
    return _METHODS.get(name, str(name).replace("_", " "))


def brief(text, width):
    """Cut a text to so many characters, on one line."""
    text = " ".join(str(text).split())
    return text if len(text) <= width else text[: width - 1].rstrip(" ,;(") + "…"


def short_source(text):
    """Name a source of an estimate in two short lines at most: the program alone, or the authors and the year."""
    text = " ".join(str(text).split())
    name = text.partition(" in R" if " in R" in text else ";")[0]
    return brief(name if len(name) <= 44 else name.partition(",")[0], 44)


def parameter(name):
    """Name a parameter for readers."""
    return "deaths in all" if name == "deaths" else str(name).replace("_", " ")


def capital(text):
    """Begin with a capital letter."""
    return text[:1].upper() + text[1:]
