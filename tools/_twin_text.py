"""The text of a chapter in the Markdown that every reader of notebooks knows: CommonMark, tables, `$` and `$$`.

A cell is cut into blocks by the parser that the pages are built with. Directives become quoted boxes, `<details>`,
pictures and code; labelled displays get their number as a `\\tag`; roles become words and links. Everything else stays
as it is written, letter by letter.
"""

import ast
import functools
import itertools
import re

from _twin_inline import INLINE, Page, anchor, embedded, inline
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

EXTENSIONS = {"amsmath", "colon_fence", "deflist", "dollarmath", "substitution", "tasklist"}
OPTION = re.compile(r":([\w-]+):[ \t]*(.*)")
DISPLAY = re.compile(r"^\$\$[ \t]*\n(.*?)\n\$\$[ \t]*$", re.DOTALL | re.MULTILINE)
FINDING = re.compile(r"^\*\*Finding\*\* \((obs-[a-z0-9-]*[a-z0-9])\)[.:]?[ \t]*")
NAMED = "attention caution danger error hint important note seealso tip warning".split()  # boxes without a title


@functools.cache
def parser() -> MarkdownIt:
    """The one that the pages are built with."""
    return create_md_parser(MdParserConfig(enable_extensions=EXTENSIONS), RendererHTML)


def convert(text: str, page: Page) -> str:
    """The text of one cell.

    Raises:
        ValueError: it holds a directive or a role that no twin can show.
    """
    lines = text.splitlines()
    cut = [(token, inner, "\n".join(lines[slice(*token.map)]).strip("\n")) for token, inner in _cut(text)]
    return "\n\n".join(filter(None, [_block(token, inner, source, page) for token, inner, source in cut]))


def _cut(text: str):
    """The outermost blocks: their first token, and all tokens in them."""
    tokens = parser().parse(text)
    starts = [i for i, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0 and token.map]
    for start, end in itertools.pairwise([*starts, len(tokens)]):
        yield tokens[start], tokens[start:end]


def _block(token, inner, source: str, page: Page) -> str:
    if token.type in ("colon_fence", "fence") and token.info.startswith("{"):
        return _directive(token, page)
    if token.type.startswith("math_block"):
        return _display(token, page)
    if token.type == "blockquote_open":
        return _quotation(re.sub(r"^ {0,3}> ?", "", source, flags=re.MULTILINE), page)
    if token.type == "myst_target":
        return anchor(token.content, page)
    if token.type in ("myst_line_comment", "myst_block_break"):
        return ""
    return source if token.type in ("fence", "code_block", "html_block") else _flow(source, inner, page)


def _flow(source: str, inner, page: Page) -> str:
    """Running text, with its roles and links in words; the parser must have seen the same roles."""
    if hidden := {"colon_fence", "math_block_label", "myst_target"} & {part.type for part in inner}:
        raise ValueError(f"{page.name}: a twin has no {hidden.pop()} inside a list: {source[:60]!r}")
    seen = [(t.meta["name"], t.content) for part in inner for t in part.children or [] if t.type == "myst_role"]
    found = [(m["name"], " ".join(m["content"].split())) for m in INLINE.finditer(source) if m["role"]]
    if found != [(name, " ".join(content.split())) for name, content in seen]:
        raise ValueError(f"{page.name}: the roles must be {seen}; got {found} in {source[:60]!r}")
    return inline(source, page)


def _quotation(text: str, page: Page) -> str:
    """A quoted finding loses its label and keeps its place."""
    if not (found := FINDING.match(text)):
        return quoted(convert(text, page))
    stated = quoted(f"**Finding.** {convert(text[found.end() :], page)}")
    return "\n\n".join(filter(None, [anchor(found[1], page), stated]))


def _display(token, page: Page) -> str:
    label = token.info if token.type == "math_block_label" else ""
    number = page.numbers.get(label)
    if label and not number:
        raise ValueError(f"{page.name}: the built book has no number for {label}; run `make book` first")
    tag = [f"\\tag{{{number}}}"] if number else []
    formula = "\n".join(["$$", token.content.strip("\n"), *tag, "$$"])
    return "\n\n".join(filter(None, [anchor(label, page), formula]))


def _directive(token, page: Page) -> str:
    name, _, argument = token.info.removeprefix("{").partition("}")
    lines = token.content.split("\n")
    options = {}
    while lines and (option := OPTION.match(lines[0])):
        options[option[1]] = option[2]
        lines.pop(0)
    body = "\n".join(lines).strip("\n")
    if name not in DIRECTIVES:
        raise ValueError(f"{page.name}: a twin has no {{{name}}}; known are {', '.join(DIRECTIVES)}")
    return DIRECTIVES[name](argument.strip() or name.capitalize(), options, body, page)


def _box(title: str, options: dict, body: str, page: Page) -> str:
    """What folds on the page folds here; any other box is a quotation with a bold title."""
    if "dropdown" in options.get("class", "").split():
        return _fold(title, body, page)
    return quoted("\n\n".join(filter(None, [f"**{inline(title, page)}**", convert(body, page)])))


def _fold(title: str, body: str, page: Page) -> str:
    """In a summary no Markdown is read and no formula typeset: what follows the colon of such a title goes inside."""
    rest = ""
    if "$" in title:
        title, _, rest = title.partition(": ") if ": " in title else ("More", "", title)
    summary = MarkdownIt("commonmark").renderInline(inline(title, page))
    inside = [f"**{inline(rest, page)}**" if rest else "", convert(body, page)]
    start = f"<details>\n<summary><b>{summary}</b></summary>"
    return "\n\n".join(filter(None, [start, *inside, "</details>\n<p></p>"]))  # some room below


def quoted(text: str) -> str:
    """A quotation; displays in one line, because a reader may take the marks of the quotation for mathematics."""
    flat = DISPLAY.sub(lambda found: f"$$ {' '.join(found[1].split())} $$", text)
    return "\n".join(f"> {line}".rstrip() for line in flat.splitlines())


def _figure(place: str, options: dict, body: str, page: Page) -> str:
    number = page.numbers.get(options.get("name", ""), "")
    caption = " ".join(filter(None, [f"**{number}.**" if number and body else "", convert(body, page)]))
    return "\n\n".join(filter(None, [f"![{options.get('alt', '')}]({embedded(place, page)})", caption]))


def _code(place: str, options: dict, body: str, page: Page) -> str:
    """The file, or one object of it."""
    text = (page.folder / place).read_text(encoding="utf-8")
    if wanted := options.get("pyobject"):
        nodes = [node for node in ast.parse(text).body if getattr(node, "name", None) == wanted]
        text = "\n".join(ast.get_source_segment(text, node) or "" for node in nodes)
    return f"```python\n{text.strip()}\n```"


def _card(title: str, options: dict, body: str, page: Page) -> str:
    return f"**{title}.** {convert(body, page)}"


def _grid(title: str, options: dict, body: str, page: Page) -> str:
    return convert(body, page)


DIRECTIVES = {
    "admonition": _box,
    **dict.fromkeys(NAMED, _box),
    "figure": _figure,
    "image": _figure,
    "literalinclude": _code,
    "grid": _grid,
    "grid-item-card": _card,
}
