"""Roles, links and pictures in a line of a chapter, in the words and addresses of the built book."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

INLINE = re.compile(
    r"(?P<display>\$\$.+?\$\$)|(?P<role>\{(?P<name>[\w:]+)\}`(?P<content>[^`]+)`)|(?P<code>(?P<ticks>`+).+?(?P=ticks))"
    r"|\$(?P<math>[^$]+)\$|(?P<link>(?P<picture>!?)\[(?P<words>[^\]]*)\]\((?P<place>[^)\s]+)\))",
    re.DOTALL,
)
EXPLICIT = re.compile(r"(.*?)\s*<([^<>]+)>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """What is known of the chapter whose text is converted."""

    name: str  # its document, such as "book/04_kl"
    folder: Path
    address: str = ""  # of the pages; "" where it is not stamped
    numbers: dict[str, str] = field(default_factory=dict)
    words: dict[str, list] = field(default_factory=dict)
    embed: Callable[[Path], str] = str  # the address of a picture, from its file
    targets: frozenset[str] = frozenset()  # what the chapter labels, and refers to: the places that need an anchor


def targets(texts) -> frozenset[str]:
    """The labels of a chapter that the chapter itself refers to."""
    everything = "\n\n".join(texts)
    labelled = re.findall(r"^\$\$ \(([\w-]+)\)|^\(([\w-]+)\)=|^> \*\*Finding\*\* \(([\w-]+)\)", everything, re.M)
    used = {explicit(content)[1] for content in re.findall(r"\}`([^`]+)`", everything)}
    used |= {place.removeprefix("#") for place in re.findall(r"\]\(([^)\s]+)\)", everything)}
    return frozenset({"".join(groups) for groups in labelled} & used)


def inline(text: str, page: Page) -> str:
    """Roles, links and pictures in a line of text; code and mathematics stay."""

    def put(found):
        if found["role"]:
            return _role(found["name"], *explicit(found["content"]), page)
        if found["math"]:
            return f"${' '.join(found['math'].split())}$"
        if found["link"] and found["picture"]:
            return f"![{found['words']}]({embedded(found['place'], page)})"
        return _link(found, page) if found["link"] else found[0]

    return INLINE.sub(put, text)


def explicit(content: str) -> tuple[str, str]:
    """(words, target) of `words <target>`; no words where there is a target only."""
    given = EXPLICIT.fullmatch(content)
    return (given[1], given[2]) if given else ("", " ".join(content.split()))


def _role(name: str, words: str, target: str, page: Page) -> str:
    parts = page.words.get(f"{name} {target}")
    if parts is None:
        raise ValueError(f"{page.name}: the built book knows no {{{name}}}`{target}`; run `make book` first")
    if words or (name == "term" and len(parts) == 1):
        parts = [(words or target, parts[0][1])]
    elif name == "doc" and not page.address:  # a title that is no link looks like one at least
        parts = [(f"*{parts[0][0]}*", None)]
    return "".join(_linked(text, target, place, page) for text, place in parts)


def _link(found, page: Page) -> str:
    """A link of Markdown: to another site, to a place of this chapter, or to a page of the book."""
    if "://" in found["place"]:
        return found[0]
    target = found["place"].removeprefix("#")
    parts = page.words.get(f"myst {target}")
    if parts is None:
        raise ValueError(f"{page.name}: the built book knows no place {target!r}; run `make book` first")
    return _linked(found["words"], target, parts[0][1], page)


def _linked(words: str, target: str, place: str | None, page: Page) -> str:
    """A link within the notebook, or to the published page; plain words where its address is not known."""
    if place and target in page.targets:
        return f"[{words}](#{target})"
    return f"[{words}]({page.address}{place})" if place and page.address else words


def anchor(label: str, page: Page) -> str:
    return f'<a id="{label}" name="{label}"></a>' if label in page.targets else ""


def embedded(place: str, page: Page) -> str:
    """The address of a picture: those of the book travel with the notebook."""
    return place if "://" in place else page.embed(page.folder / place)
