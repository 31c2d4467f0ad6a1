"""Equations: typeset without a script, with MathML beside them, by the KaTeX that was meant."""

import re
from pathlib import Path

import pytest
import typeset

ROOT = Path(__file__).resolve().parents[2]


def test_a_formula_is_written_for_the_eye_and_for_the_ear():
    written = typeset.typeset(r"\frac{1}{2}\log\sigma^2")
    assert '<span class="katex-html" aria-hidden="true">' in written
    assert "<mfrac><mn>1</mn><mn>2</mn></mfrac>" in written and "<mi>σ</mi>" in written
    assert "katex-display" not in written and "katex-display" in typeset.typeset("x", True)


@pytest.mark.parametrize("tex", [r"\frac{1}{2", r"\nosuchcommand", "ein é"])
def test_what_katex_does_not_understand_is_refused(tex):
    with pytest.raises(ValueError, match=r"KaTeX|LaTeX"):
        typeset.typeset(tex)
    assert "<math" in typeset.typeset("x")  # and the next one is typeset


def test_another_package_is_refused(tmp_path):
    package = tmp_path / "katex.tgz"
    package.write_bytes(b"another one")
    with pytest.raises(ValueError, match=r"katex.tgz must have SHA-512 .*; got .*"):
        typeset.unpack(package, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_style_asks_only_for_fonts_that_are_there():
    folder = typeset.fetch() / "static"
    asked = re.findall(r"url\(([^)]*)\)", (folder / "katex.min.css").read_text(encoding="utf-8"))
    assert len(asked) > 15 and all((folder / name).is_file() for name in asked)


def test_numbers_and_references_agree(built):
    page = (built / "book" / "03_elbo.html").read_text(encoding="utf-8")
    numbers = re.findall(
        r'<div class="math[^"]*" id="(equation-[\w-]+)">.*?<span class="eqno">\((3\.\d+)\)', page, re.DOTALL
    )
    assert [number for _, number in numbers] == [f"3.{i + 1}" for i in range(len(numbers))] and len(numbers) > 20
    for label, number in re.findall(r'href="#(equation-[\w-]+)">\((3\.\d+)\)', page):
        assert (label, number) in numbers
