"""Studies of the same people, divided in another way: what each says of the number that the other estimates."""

from uncounted.figures import words
from uncounted.report.pieces import people


def same_people(opened, name):
    """List the other studies of this release that estimate the same people.

    Parameters
    ----------
    opened : dict of str to uncounted.figures.tables.CaseTables
        The tables of all studies of the release.
    name : str
        The study that is asked about.

    Returns
    -------
    list of dict
        ``name`` and ``title``; ``about``, its answer (None without one); ``moved``, how far its median is from this
        one's ("" where one of them has none); ``seen``, how many are on its lists, where that is another number.
    """
    own = opened[name]
    others = [opened[other] for other in own.config.get("same_people_as", ()) if other in opened]
    return [
        {
            "name": other.name,
            "title": other.config["title"],
            "about": None if other.total is None else people(other.total),
            "moved": _moved(own.total, other.total),
            "seen": "" if other.seen == own.seen else words.count(other.seen),
        }
        for other in others
    ]


def _moved(own, other):
    return "" if own is None or other is None else words.signed_percent(other["median"] / own["median"] - 1)
