"""What looks the same is the same."""

import doctest
import unicodedata

import pytest

from uncounted import text
from uncounted.text import mixed_scripts, visible


def test_the_example_runs():
    assert doctest.testmod(text).failed == 0


@pytest.mark.parametrize("given", ["plain", "two\nlines\tand a tab", "März", "  spaces  stay ", ""])
def test_what_can_be_seen_stays(given):
    assert visible(given) == given


def test_letters_are_composed_and_what_cannot_be_seen_is_gone():
    assert visible(unicodedata.normalize("NFD", "März")) == "März"
    assert visible("\ufeffa\u200b\u200e\u00ad\x00b\x1f") == "ab"


@pytest.mark.parametrize(
    ("given", "word"), [("old m\u0430le", "m\u0430le"), ("male", None), ("\u043c\u0443\u0436 male", None)]
)
def test_a_word_of_two_alphabets(given, word):
    assert mixed_scripts(given) == word
