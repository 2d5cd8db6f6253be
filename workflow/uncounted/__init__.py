"""How many died, when the lists name only some of them."""
