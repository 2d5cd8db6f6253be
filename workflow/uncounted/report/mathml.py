r"""From the mathematics in a docstring to MathML, which browsers set without a network and without scripts.

Only what the models' docstrings use is known. All else is an error, never a formula that is not the model's.
"""

import re

from markupsafe import escape

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|[A-Za-z]|\s+|.", re.S)

_LETTERS = {
    **{"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η"},
    **{"theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ"},
    **{"sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "ell": "ℓ", "infty": "∞"},
    **{"Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ"},
    **{"Psi": "Ψ", "Omega": "Ω", "varepsilon": "ε", "emptyset": "∅"},
}
_FUNCTIONS = ("log", "exp", "max", "min", "Pr", "sin", "cos", "tanh", "arctan")
_OPERATORS = {
    **{"sim": "∼", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "cdot": "·", "times": "×", "in": "∈"},
    **{"approx": "≈", "propto": "∝", "mid": "|", "to": "→", "ne": "≠", "pm": "±", "dots": "…", "ldots": "…"},
    **{"neq": "≠", "ll": "≪", "gg": "≫", "notin": "∉", "subset": "⊂", "subseteq": "⊆", "cup": "∪", "cap": "∩"},
    **{"setminus": "∖", "cdots": "⋯", "equiv": "≡"},
    **{"-": "−", "*": "∗", "{": "{", "}": "}", "%": "%"},
}
_SPACES = {"quad": 1.0, "qquad": 2.0, ",": 0.17, ":": 0.22, ";": 0.28, " ": 0.25, "!": 0.0}
_DELIMITERS = {"(": "(", ")": ")", "[": "[", "]": "]", "|": "|", "/": "/", "\\{": "{", "\\}": "}"}
_NOT_TEXT = re.compile(r"[\\_^$]")
_SPACED_LINE = re.compile(r"\\\\\s*\[")
_BIG = ("Bigl", "Bigr", "bigl", "bigr", "left", "right")
_INFIX = ' form="infix" lspace="0.28em" rspace="0.28em"'
"""A relation keeps its space where it begins a cell."""

_ACCENTS = {"bar": "¯", "hat": "^", "tilde": "~"}


class UnknownMathError(ValueError):
    """A command that this converter does not know."""


def inline(source):
    """Convert a formula within a line of text."""
    return f"<math>{_Parser(source, display=False).whole()}</math>"


def display(source):
    """Convert a formula on lines of its own; `&` aligns and a double backslash ends a line, as in `align`."""
    if _SPACED_LINE.search(source):
        raise UnknownMathError(f"a space between lines is not known, in {source!r}")
    lines = [part for part in re.split(r"\\\\", source) if part.strip()]
    cells = [re.split(r"(?<!\\)&", line) for line in lines]
    columns = max(map(len, cells))
    rows = []
    for line in cells:
        # Every second column is the right-hand side of the one before it.
        parts = [
            f'<mtd class="{"right" if place % 2 == 0 and columns > 1 else "left"}">'
            f"{_Parser(cell, display=True).whole()}</mtd>"
            for place, cell in enumerate(line)
        ]
        parts += ["<mtd></mtd>"] * (columns - len(line))
        rows.append(f"<mtr>{''.join(parts)}</mtr>")
    return f'<math display="block"><mtable displaystyle="true">{"".join(rows)}</mtable></math>'


class _Parser:
    def __init__(self, source, display):
        self.source, self.display = source, display
        found = [match for match in _TOKEN.finditer(source) if not match[0].isspace()]
        self.tokens, self.starts = [match[0] for match in found], [match.start() for match in found]
        self.place = 0

    def whole(self):
        row = self.row()
        if self.place < len(self.tokens):
            raise UnknownMathError(f"unexpected {self.tokens[self.place]!r} in {self.source!r}")
        return row

    def peek(self):
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def next(self):
        token = self.peek()
        if token is None:
            raise UnknownMathError(f"the formula ends too soon: {self.source!r}")
        self.place += 1
        return token

    def row(self):
        nodes = []
        while self.peek() not in (None, "}"):
            nodes.append(self.scripted())
        return f"<mrow>{''.join(nodes)}</mrow>"

    def group(self):
        """One argument: a group in braces, or a single atom; of a number without braces its first digit."""
        if self.peek() != "{":
            self.part_digits()
            return self.atom()[0]
        self.next()
        row = self.row()
        if self.next() != "}":
            raise UnknownMathError(f"a brace stays open in {self.source!r}")
        return row

    def part_digits(self):
        """Make the first digit of the next number a token of its own: in TeX, 12 without braces is two arguments."""
        token = self.peek()
        if token and token[0].isdigit() and len(token) > 1:
            self.tokens[self.place : self.place + 1] = token[0], token[1:]
            self.starts.insert(self.place + 1, self.starts[self.place] + 1)

    def text_argument(self):
        """An argument taken as it is written, spaces too."""
        if self.peek() != "{":
            raise UnknownMathError(f"an argument without braces in {self.source!r}")
        begin = self.starts[self.place]
        end = self.source.find("}", begin)
        if end < 0:
            raise UnknownMathError(f"a brace stays open in {self.source!r}")
        while self.place < len(self.tokens) and self.starts[self.place] <= end:
            self.place += 1
        text = self.source[begin + 1 : end]
        if _NOT_TEXT.search(text):
            raise UnknownMathError(f"{text!r} is not plain text, in {self.source!r}")
        return text

    def scripted(self):
        base, wide = self.atom()
        under = over = None
        while self.peek() in ("_", "^", "'"):
            token = self.next()
            if (under if token == "_" else over) is not None:
                raise UnknownMathError(f"a second {token!r} at one place in {self.source!r}")
            if token == "_":
                under = self.group()
            elif token == "^":
                over = self.group()
            else:
                over = "<mo>′</mo>"
        stacked = wide and self.display
        if under and over:
            tag = "munderover" if stacked else "msubsup"
            return f"<{tag}>{base}{under}{over}</{tag}>"
        if under or over:
            tag = ("munder" if stacked else "msub") if under else ("mover" if stacked else "msup")
            return f"<{tag}>{base}{under or over}</{tag}>"
        return base

    def atom(self):
        """The next atom, and whether its scripts stand above and below it."""
        token = self.next()
        if token == "{":
            self.place -= 1
            return self.group(), False
        if token.startswith("\\"):
            return self.command(token[1:])
        if token[0].isdigit():
            return f"<mn>{token}</mn>", False
        if token.isalpha():
            return f"<mi>{token}</mi>", False
        if token in "()[]|":
            return f'<mo stretchy="false">{token}</mo>', False
        if token in "=<>":
            return f"<mo{_INFIX}>{escape(token)}</mo>", False
        if token in "+-*/,.:;!":
            return f"<mo>{escape(_OPERATORS.get(token, token))}</mo>", False
        raise UnknownMathError(f"{token!r} is not known, in {self.source!r}")

    def command(self, name):
        if name in _LETTERS:
            return f"<mi>{_LETTERS[name]}</mi>", False
        if name in _OPERATORS:
            return f"<mo{_INFIX}>{escape(_OPERATORS[name])}</mo>", False
        if name in _SPACES:
            return f'<mspace width="{_SPACES[name]}em"></mspace>', False
        if name in _FUNCTIONS:
            space = "" if self.peek() in ("(", "_", "^") else '<mspace width="0.17em"></mspace>'
            return f"<mi>{name}</mi>{space}" if not space else f"<mrow><mi>{name}</mi>{space}</mrow>", False
        if name in ("sum", "prod"):
            return f"<mo>{'∑' if name == 'sum' else '∏'}</mo>", True
        if name == "int":
            # Its limits stand beside it.
            return "<mo>∫</mo>", False
        if name in ("textstyle", "displaystyle"):
            self.display = name == "displaystyle"
            return "<mrow></mrow>", False
        if name in _BIG:
            token = self.next()
            if token not in _DELIMITERS:
                raise UnknownMathError(f"{token!r} after \\{name} is not known, in {self.source!r}")
            return f'<mo stretchy="true" minsize="1.7em">{_DELIMITERS[token]}</mo>', False
        if name in _ACCENTS:
            return f"<mover>{self.group()}<mo>{_ACCENTS[name]}</mo></mover>", False
        if name in ("frac", "dfrac", "tfrac"):
            return f"<mfrac>{self.group()}{self.group()}</mfrac>", False
        if name == "binom":
            above, below = self.group(), self.group()
            return f'<mrow><mo>(</mo><mfrac linethickness="0">{above}{below}</mfrac><mo>)</mo></mrow>', False
        if name == "sqrt" and self.peek() != "[":
            return f"<msqrt>{self.group()}</msqrt>", False
        if name in ("mathrm", "operatorname"):
            return f'<mi mathvariant="normal">{escape(self.text_argument().strip())}</mi>', False
        if name == "text":
            # Spaces at the ends of a text would be dropped.
            return f"<mtext>{escape(self.text_argument().replace(' ', chr(0xA0)))}</mtext>", False
        raise UnknownMathError(f"\\{name} is not known, in {self.source!r}")
