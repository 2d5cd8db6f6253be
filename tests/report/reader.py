"""Reads a page as people and browsers do."""

import re
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Reader(HTMLParser):
    """Reads a page: tags that do not match, ids, images, links, and the text that people see."""

    def __init__(self, html):
        super().__init__()
        self.open, self.wrong, self.ids, self.images, self.links, self.tags = [], [], [], [], [], set()
        self.loads, self.seen = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "img":
            self.images.append(attributes)
        if tag == "a":
            self.links.append(attributes["href"])
        self.loads += [attributes[name] for name in ("src", "srcset", "data", "poster") if name in attributes]
        self.loads += [attributes["href"]] if tag == "link" else []
        assert not any(name.startswith("on") for name in attributes)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))

    def handle_data(self, data):
        if not {"style", "pre"} & set(self.open):
            self.seen.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.seen))
