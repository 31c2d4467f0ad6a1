"""Every page in a real browser: complete, light, accessible, in order, fit for a phone, readable without scripts."""

import pytest
from browser import COLOURS, LEVELS, SCREENSHOTS, Visit, page_names

BARE, WHOLE = 500_000, 1_000_000  # bytes transferred, before and with pictures and weights
STOPS = 45  # of the tab key
OPENED = 1  # fold of a page that is opened by the mouse


@pytest.fixture(scope="module", params=page_names())
def visit(request, browser, site):
    """One page, opened once for all the tests below; what a test changes it changes for the later ones."""
    visited = Visit(browser, f"{site}/{request.param}")
    yield visited
    visited.context.close()


@pytest.fixture(scope="module", params=page_names())
def without_scripts(request, browser, site):
    """One page, opened with JavaScript off."""
    visited = Visit(browser, f"{site}/{request.param}", java_script_enabled=False)
    yield visited
    visited.context.close()


def test_page_is_complete_by_itself_and_quiet(visit):
    assert visit.complaints == []
    assert visit.outside == []
    assert visit.ask("missing") == []


def test_page_is_light(visit, weights):
    bare, whole = weights[visit.name] = visit.weight()
    assert 50_000 < bare <= BARE and whole <= WHOLE


def test_page_says_what_it_is(visit):
    said = visit.ask("said")
    assert said["lang"] == "en" and said["headings"] == 1
    assert len(said["title"]) > 12 and 20 < len(said["description"]) <= 200


def test_tab_goes_down_the_page(visit):
    for _ in range(STOPS):
        visit.page.keyboard.press("Tab")
    assert visit.ask("visits") > 8
    assert visit.ask("backward") == [] and visit.ask("upward") == []


@pytest.mark.parametrize("width", [1280, 390])
def test_page_fits_the_screen(visit, width):
    visit.page.set_viewport_size({"width": width, "height": 900})
    assert visit.page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert visit.ask("tooWide") == [] and visit.ask("scrolled") == []
    SCREENSHOTS.mkdir(exist_ok=True)
    name = visit.name.removesuffix(".html").replace("/", "-")
    visit.photograph(SCREENSHOTS / f"{name}-{width}.jpg", scale=min(1, 800 / width))


def test_page_breaks_no_rule_of_accessibility(visit):
    visit.page.set_viewport_size({"width": 1280, "height": 900})
    visit.ask("thin")  # the last test of a visit: the page is not what it was
    visit.ask("turn", "light")
    assert visit.violations({"type": "tag", "values": LEVELS}) == []
    visit.ask("turn", "dark")
    assert visit.violations({"type": "rule", "values": COLOURS}) == []


def test_page_can_be_read_without_scripts(without_scripts):
    page = without_scripts.page
    visible = page.locator("article .math:visible").count()
    folded = page.locator("article details > :not(summary) .math, article details > .math").count()
    assert visible == page.locator("article .math").count() - folded
    for place in page.locator(".live-place").all():
        assert place.locator(".live-still img").is_visible() and len(place.locator("img").get_attribute("alt")) > 30
    folds = page.locator("details.dropdown")
    assert folds.locator("> :not(summary):visible").count() == 0
    for fold in folds.all()[:OPENED]:
        fold.locator("summary").click()
        assert fold.locator("xpath=*[2]").is_visible()
    folds.evaluate_all("folds => folds.forEach(fold => { fold.open = true; })")  # as every further click would
    assert folds.locator("> :nth-child(2):visible").count() == folds.count()
