"""How many died, when the lists name only some of them."""

__all__ = ["estimate"]


def __getattr__(name):
    # Only when asked for: `import uncounted` has to cost nothing.
    if name == "estimate":
        from uncounted.library import estimate

        return estimate
    raise AttributeError(f"module 'uncounted' has no attribute {name!r}")
