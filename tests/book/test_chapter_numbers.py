"""A chapter has the number of its file."""

import re
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from chapter_numbers import renumber
from docutils import nodes
from find import ROOT

CHAPTERS = sorted(path.stem for path in (ROOT / "book").glob("[01][0-9]_*.ipynb") if not path.stem.startswith("00"))


def test_what_was_counted_is_changed_everywhere_and_only_where_it_differs():
    link = nodes.reference(secnumber=(13, 2))
    env = SimpleNamespace(
        toc_secnumbers={
            "book/12_a": {"": (12,)},
            "book/14_b": {"": (13,), "#x": (13, 2), "#y": None},
            "book/notes": {"": (1,)},
        },
        titles={"book/14_b": nodes.title(secnumber=(13,)), "book/12_a": nodes.title(secnumber=(12,))},
        tocs={"book/14_b": nodes.bullet_list("", link, nodes.Text("no number"))},
        toc_fignumbers={"book/14_b": {"displaymath": {"equation-eq-a": (13, 1)}}},
    )
    assert renumber(None, env) == ["book/14_b"]
    assert env.toc_secnumbers["book/14_b"] == {"": (14,), "#x": (14, 2), "#y": None} and link["secnumber"] == (14, 2)
    assert env.titles["book/14_b"]["secnumber"] == (14,) and env.titles["book/12_a"]["secnumber"] == (12,)
    assert env.toc_fignumbers["book/14_b"]["displaymath"] == {"equation-eq-a": (14, 1)}


@pytest.mark.parametrize("name", CHAPTERS)
def test_equations_and_contents_carry_the_number_of_the_file(name, built):
    page = BeautifulSoup((built / "book" / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    number = int(name[:2])
    assert page.select_one("nav a.current").get_text().strip().startswith(f"{number}. ")
    numbered = re.findall(r"^\((\d+)\.\d+\)", "\n".join(eqno.get_text() for eqno in page.select(".eqno")), re.M)
    assert numbered and set(numbered) == {str(number)}
