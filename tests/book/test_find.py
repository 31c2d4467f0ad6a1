"""The search page: what becomes an entry, and that strangers' words find the section that answers them."""

import json
import subprocess

import pytest
import yaml
from find import NEW_SCRIPTS, ROOT, SYNONYMS, entries, fetch, join, rare_names
from sphinx.search.en import SearchEnglish
from typeset import node

GLUE = ROOT / "book" / "assets" / "find.js"
ENGINE = ROOT / "tests" / "book" / "find_engine.js"
QUESTIONS = yaml.safe_load((ROOT / "tests" / "book" / "find_questions.yml").read_text(encoding="utf-8"))
PAGE = """<article><section id="top"><h1>4. The KL<a class="headerlink" href="#top">#</a></h1>
<p>A weight of <span class="math"><annotation>\\beta</annotation><span class="katex-html">b</span></span> is usual.</p>
<section id="note"><h2>A note</h2><p>It says 0.00025.</p><details class="hide"><summary>Show</summary></details>
<pre>for says in range(9): lr = 1e-3; logvar.exp() + kl_term</pre>
<div class="cell_output"><pre>holds 7</pre></div></section>
<dl><dt id="term-crowd">crowd</dt><dt id="term-cloud">all clouds</dt><dd><p>All codes together.</p></dd>
<dt id="term-nat">nat</dt><dd><p>A unit.</p></dd></dl></section></article>"""


def section(url, title, text, names="", page="A page"):
    return {"url": url, "title": title, "text": text, "names": names, "page": page}


BOOK = {
    "synonyms": yaml.safe_load(SYNONYMS.read_text(encoding="utf-8")),
    "sections": [
        section("a", "The crowd of codes", "The codes of all pictures together are far from the prior."),
        section("b", "Noise on grey pixels", "Binarised pixels differ from grey ones; the colour does not matter."),
        section(
            "c",
            "A weight of 0.00025",
            "A divergence times 0.00025, named \N{GREEK SMALL LETTER BETA}.",
        ),
        section(
            "d",
            "Where the code falls silent",
            "A divergence of zero: the decoder ignores its posterior.",
        ),
        section("e", "Learning rates", "A rate of 0.0002 is small, and epsilon too.", names="optimizer logvar"),
        section(
            "f",
            "Gaps",
            "The amortisation gap and the approximation gap of neighbouring encoders, at \u03c4.",
        ),
    ],
}


def ask(book, *questions, language):
    job = json.dumps({"book": book, "questions": questions})
    command = [node(), str(ENGINE), str(fetch()), str(language), str(GLUE)]
    done = subprocess.run(command, input=job, capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def language(tmp_path_factory):
    """The stemmer that Sphinx puts beside the pages."""
    path = tmp_path_factory.mktemp("search") / "language_data.js"
    path.write_text(SearchEnglish.js_stemmer_code, encoding="utf-8")
    return path


def test_a_section_and_a_term_are_entries_without_what_is_below_them():
    top, note, term, unit = entries(PAGE, "book/04_kl")
    assert top["text"] == "A weight of \N{GREEK SMALL LETTER BETA} is usual." and top["title"] == "4. The KL"
    assert note == section("book/04_kl.html#note", "A note", "It says 0.00025.", "1e-3 logvar exp kl_term", "4. The KL")
    assert term == section("book/04_kl.html#term-crowd", "crowd", "all clouds All codes together.", "", "4. The KL")
    assert unit == section("book/04_kl.html#term-nat", "nat", "A unit.", "", "4. The KL")


def test_a_name_that_stands_everywhere_leads_nowhere():
    found = [section(str(place), "A", "Text", names=f"torch only_{place}") for place in range(3)]
    assert [entry["names"] for entry in rare_names(found, many=2)] == ["only_0", "only_1", "only_2"]
    assert rare_names(found, many=3) == found


def test_a_page_without_an_article_has_no_entries():
    assert entries("<html><body>moved</body></html>", "index") == []


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("aggregated posterior", "a"),  # a synonym
        ("aggregate posteriors", "a"),  # of a plural
        ("binarized", "b"),  # American
        ("gray", "b"),
        ("color", "b"),
        ("0.00025", "c"),  # a number, and no other
        ("0.0002", "e"),
        ("tau", "f"),  # a Greek letter by its name, and the other way round
        ("\N{GREEK SMALL LETTER EPSILON}", "e"),
        ("posterior collapse", "d"),
        ("amortization gap", "f"),
        ("neighboring encoder", "f"),
        ("devoder ignores", "d"),  # a letter wrong
        ("divergnce zero", "d"),  # a letter missing
        ("posteriro", "d"),  # two letters in the wrong order
        ("logvar", "e"),  # a name in code
        ("learn", "e"),
    ],
)
def test_words_find_their_section_first(question, first, language):
    (hits,) = ask(BOOK, question, language=language)
    assert hits and hits[0]["url"] == first, [(hit["url"], hit["score"]) for hit in hits]


def test_words_that_fill_a_question_are_not_asked_for(language):
    (hits,) = ask(BOOK, "what is the crowd of it and why", language=language)
    assert [hit["url"] for hit in hits] == ["a"]


def test_nonsense_finds_nothing_and_breaks_nothing(language):
    odd = ["", "   ", "qqqqq", "(", "constructor", "__proto__", "<b>", "toString hasOwnProperty"]
    assert ask(BOOK, *odd, language=language) == [[]] * len(odd)


def test_the_snippet_is_the_text_and_marks_what_was_asked(language):
    (hits,) = ask(BOOK, "decoder", language=language)
    pieces = hits[0]["pieces"]
    assert [words for words, marked in pieces if marked] == ["decoder"]
    assert "".join(words for words, _ in pieces) == BOOK["sections"][3]["text"]


def test_a_long_text_is_cut_around_the_words(language):
    book = {"synonyms": [], "sections": [section("x", "Long", "word " * 200 + "needle " + "word " * 200)]}
    ((hit,),) = ask(book, "needle", language=language)
    said = "".join(words for words, _ in hit["pieces"])
    assert ["needle", True] in hit["pieces"] and said.startswith("\N{HORIZONTAL ELLIPSIS}") and len(said) < 250


def test_other_scripts_in_the_search_page_are_an_error(tmp_path):
    page = tmp_path / "search.html"
    page.write_text("<head></head>", encoding="utf-8")
    with pytest.raises(RuntimeError, match="markup has changed"):
        join(page)
    page.write_text('<head> <script src="searchindex.js"></script></head>', encoding="utf-8")
    join(page)
    assert NEW_SCRIPTS in page.read_text(encoding="utf-8") and "searchindex" not in page.read_text(encoding="utf-8")
    join(page)  # once more changes nothing


def test_every_group_of_synonyms_has_two_members_and_no_word_twice():
    groups = BOOK["synonyms"]
    assert all(len(group) > 1 and len({one.lower() for one in group}) == len(group) for group in groups)


@pytest.fixture(scope="module")
def found(built):
    """What the built book answers to every question."""
    script = (built / "_static" / "entries.js").read_text(encoding="utf-8")
    book = json.loads(script.removeprefix("const BOOK = ").rstrip(";\n"))
    return dict(zip(QUESTIONS, ask(book, *QUESTIONS, language=built / "_static" / "language_data.js"), strict=True))


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_strangers_question_finds_its_section_among_the_first_three(question, found):
    first = [f"{hit['url']} ({hit['title']})" for hit in found[question][:3]]
    assert any(QUESTIONS[question] in one for one in first), first


def test_no_answer_for_teachers_is_found(built):
    assert "91_answers.html" not in (built / "_static" / "entries.js").read_text(encoding="utf-8")


def test_what_the_search_page_loads_is_light(built):
    import gzip

    parts = [(built / "_static" / name).read_bytes() for name in ("minisearch.js", "entries.js", "find.js")]
    assert sum(len(gzip.compress(part)) for part in parts) < 250_000
