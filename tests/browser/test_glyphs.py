"""Every character that a page shows, those that a style sheet adds too, has a glyph in the fonts that it is set in."""

import pytest
from browser import Visit, page_names

FIRST = page_names()[0]
ADD_STYLE = "document.head.append(Object.assign(document.createElement('style'), { textContent: %r }))"


@pytest.fixture
def visit(browser, site, request):
    visited = Visit(browser, f"{site}/{request.param}")
    yield visited
    visited.context.close()


@pytest.mark.parametrize("visit", page_names(), indirect=True)
def test_every_character_of_a_page_has_a_glyph(visit):
    assert visit.ask("glyphless") == []


@pytest.mark.parametrize("visit", [FIRST], indirect=True)
def test_a_character_without_a_glyph_is_seen(visit):
    visit.page.evaluate("document.querySelector('main p').append('\\uf0ec')")
    assert [found.split(" <")[0] for found in visit.ask("glyphless")] == ["U+F0EC in text of"]


@pytest.mark.parametrize("visit", [FIRST], indirect=True)
@pytest.mark.parametrize("part", ["::before", "::after"])
def test_a_character_that_a_style_adds_without_a_glyph_is_seen(visit, part):
    visit.page.evaluate(ADD_STYLE % f"main h1{part} {{ content: 'x\uf0ec' }}")
    assert [found.split(" <")[0] for found in visit.ask("glyphless")] == [f"U+F0EC in {part} of"]
