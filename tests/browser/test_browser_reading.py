"""What a reader does on the pages: search, fold and unfold, on a server and from the disk, and print."""

import pytest
from browser import Visit

CHAPTER = "book/03_elbo.html"


@pytest.fixture(scope="module", params=["http", "file"])
def root(request, site, built):
    """The address of the book, on a plain file server and as files."""
    return site if request.param == "http" else built.as_uri()


@pytest.fixture(scope="module")
def chapter(root, browser):
    """One visit for all the tests below, each of which leaves the page as it found it; the last one leaves the page."""
    visited = Visit(browser, f"{root}/{CHAPTER}")
    yield visited
    visited.context.close()


def test_folds_open_and_close_by_mouse_and_keyboard(chapter):
    page = chapter.page
    for kind in ("details.dropdown", "details.hide"):
        fold = page.locator(kind).first
        inside, title = fold.locator("> :not(summary)").first, fold.locator("summary")
        assert not inside.is_visible()
        title.click()
        assert inside.is_visible()
        title.focus()
        page.keyboard.press("Enter")
        assert not inside.is_visible()


def test_a_link_into_a_fold_opens_it(chapter):
    page = chapter.page
    inside = page.locator("details.dropdown p, details.dropdown li").first
    inside.evaluate("(node) => { node.id = 'in-a-fold'; location.hash = 'in-a-fold'; }")
    inside.wait_for(state="visible")
    page.locator("details[open] > summary").first.click()


def test_an_open_card_does_not_widen_a_page_that_is_turned(chapter):
    page = chapter.page
    page.locator("a.has-card").first.focus()
    assert page.locator("#glossary-popup").is_visible()
    page.set_viewport_size({"width": 390, "height": 900})
    page.locator("#glossary-popup").wait_for(state="hidden")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})


def test_on_paper_folds_are_open_and_the_frame_is_gone(chapter):
    page = chapter.page
    page.emulate_media(media="print")
    assert all(part.is_visible() for part in page.locator("details.dropdown > :not(summary)").all())
    for frame in (".bd-sidebar-primary", ".bd-header-article", ".live-figure", ".prev-next-footer"):
        assert not page.locator(frame).first.is_visible()
    assert page.locator(".live-still img").first.is_visible()
    page.emulate_media(media="screen")


def test_search_by_keyboard_finds_the_chapter(chapter, root):
    page = chapter.page
    page.locator("body").press("Control+k")
    page.keyboard.type("posterior")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('#search-results li a').length > 3")
    found = page.locator("#search-results li a").all()
    assert any("03_elbo" in link.get_attribute("href") for link in found)
    assert page.locator("#search-results mark").first.inner_text().lower().startswith("posterior")
    found[0].click()
    page.wait_for_function("location.pathname.includes('/book/') && location.hash.length > 1")
    assert page.locator("article span.highlighted").first.inner_text().lower().startswith("posterior")
    assert "posterior" in page.locator("article").inner_text().lower()
    assert chapter.complaints == [] and chapter.outside == []
