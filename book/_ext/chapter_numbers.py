"""A chapter has the number of its file: 14_museum is chapter 14, also while there is no chapter 13.

Sphinx counts the chapters of the contents. What it has counted is changed before any page is written: in the contents,
in the title and in the numbers of equations and figures.
"""

import re


def renumber(app, env) -> list[str]:
    """The pages whose numbers were changed."""
    changed = []
    for docname, numbers in env.toc_secnumbers.items():
        name = re.match(r"\d+(?=_)", docname.rpartition("/")[2])
        if name is None or all(number[0] == int(name[0]) for number in numbers.values() if number):
            continue
        changed.append(docname)
        number = (int(name[0]),)
        env.toc_secnumbers[docname] = {anchor: old and number + tuple(old[1:]) for anchor, old in numbers.items()}
        env.titles[docname]["secnumber"] = number
        for link in env.tocs[docname].findall(lambda node: bool(getattr(node, "attributes", {}).get("secnumber"))):
            link["secnumber"] = number + tuple(link["secnumber"][1:])
        for kind, found in env.toc_fignumbers.get(docname, {}).items():
            env.toc_fignumbers[docname][kind] = {place: number + tuple(old[1:]) for place, old in found.items()}
    return changed


def setup(app):
    app.connect("env-get-updated", renumber, priority=900)  # after Sphinx has counted
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
