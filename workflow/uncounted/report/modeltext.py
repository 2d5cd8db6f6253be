"""The docstring of a model as HTML: the report shows what the code says of itself, and nothing else."""

import ast
import importlib.util
import re
import textwrap
from pathlib import Path

from markupsafe import Markup, escape

from uncounted.report import mathml

_INLINE = re.compile(
    r":math:`(?P<math>[^`]+)`|:(?:func|mod|data|class):`(?P<role>[^`]+)`|``(?P<code>[^`]+)``|`(?P<name>[^`]+)`|\*(?P<word>[^*\s][^*]*)\*"
)


def docstring(model):
    """Read the docstring of a model without importing it.

    Parameters
    ----------
    model : str
        Its name in the config.

    Returns
    -------
    str
    """
    origin = importlib.util.find_spec(f"uncounted.models.{model}").origin
    return ast.get_docstring(ast.parse(Path(origin).read_text(encoding="utf-8")))


def as_html(text):
    """Turn a docstring into HTML.

    Known are paragraphs, definitions (a line, and an indented text below it), `.. math::`, inline
    mathematics, code and emphasis.

    Parameters
    ----------
    text : str

    Returns
    -------
    markupsafe.Markup
    """
    parts = []
    for block in _blocks(text):
        head, _, body = block.partition("\n")
        if (
            head.strip() != ".. math::"
            and body.strip()
            and all(not line or line[0] == " " for line in body.split("\n"))
        ):
            parts.append(f"<dt>{_line(head)}</dt><dd>{_paragraphs(textwrap.dedent(body))}</dd>")
        else:
            parts.append(f"<dd>{_paragraphs(block)}</dd>")
    return Markup(f'<dl class="model">{"".join(parts)}</dl>')


def _blocks(text):
    """Cut a text where a line without indent follows an empty line, or text that is indented."""
    blocks, before = [], ""
    for line in text.strip("\n").split("\n"):
        begins = line and line[0] != " " and (not before or before[0] == " ")
        if begins or not blocks:
            blocks.append([])
        blocks[-1].append(line)
        before = line
    return ["\n".join(block).strip("\n") for block in blocks]


def _paragraphs(text):
    parts, lines, place = [], text.split("\n"), 0
    plain = []

    def finish():
        if "".join(plain).strip():
            parts.append(f"<p>{_line(' '.join(plain))}</p>")
        plain.clear()

    while place < len(lines):
        line = lines[place]
        if line.strip() == ".. math::":
            finish()
            own = len(line) - len(line.lstrip())
            body, place = [], place + 1
            while place < len(lines) and (
                not lines[place].strip() or len(lines[place]) - len(lines[place].lstrip()) > own
            ):
                body.append(lines[place].strip())
                place += 1
            formula = mathml.display("\n".join(body))
            parts.append(f'<div class="scroll formula" tabindex="0">{formula}</div>')
            continue
        if not line.strip():
            finish()
        else:
            plain.append(line.strip())
        place += 1
    finish()
    return "".join(parts)


def _line(text):
    done, at = [], 0
    for found in _INLINE.finditer(text):
        done.append(str(escape(text[at : found.start()])))
        if found["math"]:
            done.append(mathml.inline(found["math"]))
        elif found["word"]:
            done.append(f"<em>{escape(found['word'])}</em>")
        else:
            done.append(f"<code>{escape(found['code'] or found['name'] or found['role'])}</code>")
        at = found.end()
    done.append(str(escape(text[at:])))
    return "".join(done)
