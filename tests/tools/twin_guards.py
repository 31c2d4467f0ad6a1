"""What may be wrong with a twin, as its reader sees it: one list of complaints for each kind of debris."""

import re
from html.parser import HTMLParser

import twin_engines

LABEL = re.compile(r"\((?:eq|def|step|obs)-[a-z0-9-]+\)")
ROLE = re.compile(r"\{[\w:+-]+\}(?:`|<code>)")
DIRECTIVE = re.compile(r":::|^\([\w-]+\)=$|\{\w[\w-]*\}$", re.MULTILINE)
MARKUP = re.compile(r"\*\*|\]\(|(?<!\w)\$|^#{1,6} |^:[\w-]+: ", re.MULTILINE)
ANSWER = re.compile(r"(?:Answer|Hint|Solution|What you should have seen|The answer)\b")
TITLE = "#@title "
SITE = ("https://", "http://", "data:image/png;base64,")
VOID = {"img", "br", "hr", "input", "wbr"}


class Reader(HTMLParser):
    """Text outside code and formulas, links, pictures, places; what folds, and the bold words that do not."""

    def __init__(self, html: str):
        super().__init__()
        self.open, self.text, self.addresses, self.places, self.wrong, self.bold = [], [], [], set(), [], []
        self.feed(html)
        self.close()
        self.wrong += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.places |= {attrs.get("id"), attrs.get("name")} - {None}
        self.addresses += [attrs[key] for key in ("href", "src") if attrs.get(key)]
        if tag == "img" and not attrs.get("alt"):
            self.wrong.append("a picture has no words")
        if tag == "details" and "open" in attrs:
            self.wrong.append("a fold stands open")
        self.text += [word for word in (attrs.get("class") or "").split() if tag == "code" and "{" in word]  # a fence
        is_formula = "math" in (attrs.get("class") or "").split()
        if tag not in VOID:
            self.open.append("formula" if is_formula else tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open[-1] not in (tag, "formula"):
            self.wrong.append(f"</{tag}> closes nothing")
        else:
            self.open.pop()

    def handle_data(self, data):
        if {"code", "pre", "formula"} & set(self.open):
            self.text.append("<code>" if "code" in self.open else "")
            return
        self.text.append(data)
        if {"strong", "b", "h1", "h2", "h3", "h4"} & set(self.open) and "details" not in self.open:
            self.bold.append(data)


def complaints(twin, chapter) -> dict[str, list[str]]:
    """By kind, everything that is wrong with the twin of a chapter; every list must be empty."""
    texts = [cell.source for cell in twin.cells if cell.cell_type == "markdown"]
    drawn = twin_engines.node(texts)
    read = [Reader(html) for html in [*twin_engines.github(texts), *(answer["html"] for answer in drawn)]]
    shown = ["".join(reader.text) for reader in read]
    places = {f"#{place}" for reader in read for place in reader.places}
    addresses = [address for reader in read for address in reader.addresses]
    return {
        "roles": [found for text in shown for found in ROLE.findall(text)],
        "directives": [found for text in shown for found in DIRECTIVE.findall(text)],
        "labels": [found for text in shown for found in LABEL.findall(text)],
        "markup": [f"{m[0]} in {text[:60]!r}" for text in shown for m in MARKUP.finditer(text)],
        "formulas": [failure for answer in drawn for failure in answer["failures"]],
        "answers": open_answers(twin, chapter, read),
        "elements": [wrong for reader in read for wrong in reader.wrong],
        "links": [a for a in addresses if not a.startswith(SITE) and a not in places],
        "code": differences(twin, chapter),
    }


def open_answers(twin, chapter, read) -> list[str]:
    """Titles of answers outside a fold, and code of solutions that shows."""
    words = [text for reader in read for text in reader.bold if ANSWER.match(text)]
    hidden = {cell.id for cell in chapter.cells if "hide-cell" in cell.metadata.get("tags", [])}
    closed = {"source_hidden": True, "outputs_hidden": True}
    cells = [
        cell.id
        for cell in twin.cells
        if cell.id in hidden and (cell.metadata.get("jupyter") != closed or cell.metadata.get("cellView") != "form")
    ]
    return words + cells


def differences(twin, chapter) -> list[str]:
    """Cells whose code, name, count or output is not the chapter's; a title line is allowed."""
    found = []
    pairs = [[cell for cell in book.cells if cell.cell_type == "code"] for book in (twin, chapter)]
    if len(pairs[0]) != len(pairs[1]):
        return [f"{len(pairs[0])} cells of code instead of {len(pairs[1])}"]
    for mine, own in zip(*pairs, strict=True):
        first, _, rest = mine.source.partition("\n")
        source = rest if first.startswith(TITLE) else mine.source
        kept = (source, mine.id, mine.execution_count, mine.outputs)
        if kept != (own.source, own.id, own.execution_count, own.outputs):
            found.append(own.id)
    return found
