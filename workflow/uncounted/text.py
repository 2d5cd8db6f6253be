"""Text as people see it: what looks the same is the same."""

import unicodedata

_KEPT = "\t\n\r"


def visible(text):
    r"""Give text without what nobody can see: composed (NFC), no control characters and no format characters.

    Parameters
    ----------
    text : str
        As pasted: with byte-order marks, zero-width spaces, soft hyphens, or letters with their accents apart.

    Returns
    -------
    str
        Tabs and line ends are kept.

    Examples
    --------
    >>> visible("fe\u00admale\u200b")
    'female'
    """
    if text.isascii() and text.isprintable():
        return text
    kept = (letter for letter in text if letter in _KEPT or unicodedata.category(letter) not in ("Cc", "Cf"))
    return unicodedata.normalize("NFC", "".join(kept))


def mixed_scripts(text):
    """Find a word whose letters come from alphabets that look alike, such as a Cyrillic letter in a Latin word.

    Parameters
    ----------
    text : str

    Returns
    -------
    str or None
        The first such word.
    """
    if text.isascii():
        return None
    return next((word for word in text.split() if len(_scripts(word)) > 1), None)


def _scripts(word):
    names = {unicodedata.name(letter, "").split(" ")[0] for letter in word if letter.isalpha()}
    return names & {"LATIN", "CYRILLIC", "GREEK"}
