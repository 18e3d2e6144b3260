"""Reading a report as a browser would."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote

from offhand.report.page import write_report


class Reader(HTMLParser):
    """Collects what a browser would fetch, run or show."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr", "image", "use", "path"})

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.addresses, self.handlers, self.ids, self.text, self.open = [], [], [], [], []
        self.tags, self.unnamed = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for key, value in attrs:
            if key in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
                self.addresses.append(value)
            if key.startswith("on"):
                self.handlers.append(key)
            if key == "id":
                self.ids.append(value)
        if dict(attrs).get("role") in ("img", "region") and not dict(attrs).get("aria-label"):
            self.unnamed.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)


def read(workspace, **limits):
    """Write the report, check what must always hold, and return (page text, HTML)."""
    path = write_report(workspace, **limits)
    assert path == workspace.path / "report.html"
    return checked(path)


def read_clips(workspace):
    """Return, by file name, (page text, HTML) of the pages of single clips."""
    return {path.name: checked(path) for path in sorted((workspace.path / "report").iterdir())}


def checked(path):
    """Check what must hold for every page, and return (page text, HTML)."""
    source = path.read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(source)
    reader.close()
    assert reader.open == []
    assert reader.handlers == []
    assert reader.unnamed == []
    links = [a for a in reader.addresses if not a.startswith(("#", "data:"))]
    for link in links:
        file = link.partition("#")[0]
        if not re.fullmatch(r"(\.\./)?results/[\w/%.-]+\.(parquet|json)", file):
            assert re.fullmatch(r"(\.\./report|(report/)?[\w%.-]+)\.html", file)
            assert (path.parent / unquote(file)).is_file()
        assert file.split("/").count("..") == (path.parent.name == "report" and file[:3] == "../")
    assert len(reader.ids) == len(set(reader.ids))
    assert {a[1:] for a in reader.addresses if a.startswith("#")} <= set(reader.ids)
    assert not re.search(r"@import|url\(\s*[^)#d]", source)
    assert reader.tags.count("script") == 2  # the loops, which are data, and the script
    assert "nan" not in re.findall(r"[\w.]+", re.sub(r"data:[^\"]*", "", source).lower())
    return " ".join(" ".join(reader.text).split()), source
