"""What every role reads as on the built page and where it leads, for those who open a chapter elsewhere.

A notebook in Colab or on GitHub has nobody who resolves its roles. `tools/twins.py` does it beforehand, from what this
extension writes beside the pages, into crossrefs.json: the address of the book, the number of everything that has one,
and for every chapter the words and the place of each role and of each link to another page, as Sphinx resolves them.
"""

import json
import re
from pathlib import Path
from urllib.parse import urljoin

from docutils import nodes
from sphinx import addnodes

REPOSITORY = re.compile(r"https://github\.com/([\w-]+)/([\w.-]+)")


def write(app, exception):
    if exception or app.builder.format != "html":
        return
    chapters = [name for name in sorted(app.env.found_docs) if app.env.doc2path(name).endswith(".ipynb")]
    found = {
        "address": published(app.config),
        "numbers": numbers(app),
        "words": {name: words(app, name) for name in chapters},
    }
    text = json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True)
    Path(app.outdir).with_name("crossrefs.json").write_text(text + "\n", encoding="utf-8")


def published(config) -> str:
    """Where the pages are, with a slash at the end: as they are set up or, on GitHub, where they are put by default."""
    stamped = REPOSITORY.fullmatch(config.html_theme_options.get("repository_url", ""))
    if config.html_baseurl or not stamped:
        return config.html_baseurl
    owner, name = stamped[1].lower(), stamped[2]
    return f"https://{owner}.github.io/" + ("" if name.lower() == f"{owner}.github.io" else f"{name}/")


def numbers(app) -> dict[str, str]:
    """The number of every labelled equation and figure, as its page shows it."""
    found = {}
    for page in app.env.toc_fignumbers.values():
        for identifier, number in page.get("displaymath", {}).items():
            found[identifier.removeprefix("equation-")] = ".".join(map(str, number))
        for identifier, number in page.get("figure", {}).items():
            found[identifier] = app.config.numfig_format["figure"] % ".".join(map(str, number))
    return found


def words(app, docname) -> dict[str, list]:
    """By role and target, the (words, place) that a chapter's references read as; those without words of their own."""
    here, found = app.builder.get_target_uri(docname), {}
    for node in sorted(app.env.get_doctree(docname).findall(addnodes.pending_xref), key=_has_words):
        if (resolved := resolve(app, docname, node)) is not None:
            name = key(node["refdomain"], node["reftype"], node["reftarget"])
            found.setdefault(name, [(part.astext(), _place(part, here)) for part in _parts(resolved)])
    return found


def _has_words(node) -> bool:
    return node["refexplicit"]


def key(domain: str | None, kind: str, target: str) -> str:
    """`eq eq-kl`, `cite:p kingma2014auto`: a role as it is written, and its target."""
    return f"{kind if domain in ('std', 'math', None) else f'{domain}:{kind}'} {target}"


def resolve(app, docname, node):
    """The node that Sphinx puts in the place of a reference; None where it knows none."""
    if node["reftype"] == "myst":
        return _link(app, docname, node)
    domain, words = app.env.get_domain(node["refdomain"]), node[0].deepcopy()
    return domain.resolve_xref(app.env, docname, app.builder, node["reftype"], node["reftarget"], node, words)


def _link(app, docname, node):
    """A link of Markdown that names a place of the book."""
    page, place = app.env.get_domain("std").anonlabels.get(node["reftarget"], (None, None))
    if page is None:
        return None
    return nodes.reference("", node.astext(), refuri=app.builder.get_relative_uri(docname, page) + f"#{place}")


def _parts(node):
    """The links, and the words between them."""
    if isinstance(node, nodes.reference | nodes.Text):
        return [node]
    return [part for child in node.children for part in _parts(child)]


def _place(part, here: str) -> str | None:
    if not isinstance(part, nodes.reference):
        return None
    return urljoin(here, part["refuri"]) if "refuri" in part else f"{here}#{part['refid']}"


def setup(app):
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
