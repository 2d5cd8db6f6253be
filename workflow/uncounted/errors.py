"""What a person can mend: one clear message instead of a traceback."""


class UserError(Exception):
    """Something in the input, the config or the machine that the person who runs the study can mend.

    Parameters
    ----------
    what
        What is wrong, in one sentence.
    where
        The place: a file with line and column, or a config key.
    expected
        What should have stood there.
    do
        What to do about it.
    """

    def __init__(self, what: str, where: str = "", expected: str = "", do: str = ""):
        super().__init__(what)
        self.what = what
        self.where = where
        self.expected = expected
        self.do = do

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.do:
            lines.append(f"  what to do: {self.do}")
        return "\n".join(lines)
