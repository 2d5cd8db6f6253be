"""Formulas: what the models' docstrings use becomes MathML, and anything else is an error."""

import re

import pytest

from uncounted.report import mathml, modeltext


def test_scripts_and_fractions():
    assert mathml.inline("x_{a,b}^2") == (
        "<math><mrow><msubsup><mi>x</mi><mrow><mi>a</mi><mo>,</mo><mi>b</mi></mrow><mn>2</mn></msubsup></mrow></math>"
    )
    assert "<mfrac><mrow><mn>1</mn></mrow><mrow><mi>κ</mi></mrow></mfrac>" in mathml.inline(r"\frac{1}{\kappa}")


def test_of_a_number_without_braces_an_argument_is_one_digit():
    """As TeX has it: what follows the fraction, a logarithm say, is not its denominator."""
    assert "<mfrac><mn>1</mn><mn>2</mn></mfrac><mi>x</mi>" in mathml.inline(r"\tfrac12 x")
    assert "<mfrac><mn>1</mn><mn>2</mn></mfrac><mn>34</mn>" in mathml.inline(r"\tfrac1234")
    assert "<msup><mi>x</mi><mn>1</mn></msup><mn>2</mn>" in mathml.inline("x^12")
    assert "<mn>12</mn>" in mathml.inline("12 x")


def test_text_keeps_its_spaces():
    assert "<mtext>more\u00a0than\u00a0</mtext><mi>k</mi>" in mathml.inline(r"\text{more than } k")


def test_sums_have_their_limits_below_on_lines_of_their_own():
    assert "<munder>" in mathml.display(r"\sum_s x_s")
    assert "<munder>" not in mathml.inline(r"\sum_s x_s")


def test_lines_and_columns():
    made = mathml.display("a &= b \\\\\nc &< d")
    assert made.count("<mtr>") == 2 and made.count('class="right"') == 2 and "&lt;" in made


@pytest.mark.parametrize(
    "source", [r"\newcommand x", "{x", "x}", r"\frac{1}", "x_", "§", r"\text x", r"\mathrm{a", r"\text"]
)
def test_what_is_not_known_is_an_error(source):
    with pytest.raises(mathml.UnknownMathError):
        mathml.inline(source)


@pytest.mark.parametrize(
    "source",
    [
        *(r"\sqrt[3]{x}", r"\left\lfloor x", r"\bigl\lvert x", r"\left\| x", r"\left. x"),
        *("f'^2", "f''", "x_a_b", "x^a^b", r"x \\[2pt] y"),
        *(r"\mathrm{arg\,max}", r"\mathrm{N_x}", r"\text{50 \%}", r"\text{if $x$}"),
    ],
)
def test_what_would_be_shown_as_something_else_is_an_error(source):
    with pytest.raises(mathml.UnknownMathError):
        mathml.display(source)


def test_brackets_that_grow():
    assert [re.search(r">(.)</mo>", mathml.inline(rf"\left{mark} x"))[1] for mark in ("(", "|", r"\{")] == [*"(|{"]


def test_the_model_is_shown_whole():
    text = modeltext.docstring("synthesis")
    html = modeltext.as_html(text)
    assert html.count("<math") == text.count(":math:`") + text.count(".. math::")
    assert "\\" not in html and ":math:" not in html and "`" not in html


def test_binomials_and_functions():
    assert '<mfrac linethickness="0"><mrow><mi>n</mi></mrow><mrow><mi>k</mi></mrow></mfrac>' in mathml.inline(
        r"\binom{n}{k}"
    )
    assert "<mi>tanh</mi>" in mathml.inline(r"\tanh(x)")


def test_a_formula_between_paragraphs_without_indent_is_a_formula():
    html = modeltext.as_html("First.\n\n.. math::\n    x = 1\n\nLast :func:`name`.")
    assert html.count("<math") == 1 and "<dt>" not in html and "<code>name</code>" in html
