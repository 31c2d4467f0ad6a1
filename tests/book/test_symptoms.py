"""The page of symptoms: every entry has a line that runs and links to sections that exist."""

import re
from pathlib import Path

import nbformat
import pytest
import torch
from myst_parser.mdit_to_docutils.base import default_slugify

from vaelib.distributions import bernoulli_log_prob, reparameterize, standard_normal_kl
from vaelib.models import mlp_vae

BOOK = Path(__file__).resolve().parents[2] / "book"
PAGE = (BOOK / "symptoms.md").read_text(encoding="utf-8")
ENTRIES = {part.split("\n")[0]: part for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]}
CODE = re.compile(r"^```python\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"^\d\. \[.+\]\((\w+)\.ipynb#([\w-]+)\)$", re.MULTILINE)


def loss(x, y, mu, logvar):
    return (standard_normal_kl(mu, logvar) - bernoulli_log_prob(x, y)).mean()


@pytest.fixture(scope="module")
def names():
    """What the page says that its lines take."""
    torch.manual_seed(0)
    model, x = mlp_vae(784, 2, (16,)).requires_grad_(False), torch.rand(40, 784).round()
    mu, logvar = model.encode(x)
    z, codes = torch.randn(40, 2), reparameterize(mu, logvar)
    functions = {"encode": model.encode, "draw": reparameterize, "decode": model.decode, "loss": loss}
    found = {"model": model, "x": x, "new": x[:20], "mu": mu, "logvar": logvar, "z": z, "codes": codes}
    found["bias"] = model.encoder[-1].bias.requires_grad_()
    found |= {"made": model.decode(z).sigmoid(), "functions": functions, "loss": loss}
    imports = next(code for code in CODE.findall(PAGE) if "import torch" in code)
    exec(imports, found)
    return found | {"log_likelihood": bernoulli_log_prob}


def test_there_are_forty_and_each_is_asked_for_once():
    assert len(ENTRIES) >= 40 and len(re.findall(r"^### ", PAGE, re.MULTILINE)) == len(ENTRIES)


@pytest.mark.slow
@pytest.mark.parametrize("title", ENTRIES)
def test_what_to_measure_is_one_line_that_runs(title, names):
    (line,) = CODE.findall(ENTRIES[title])
    assert "\n" not in line and len(line) <= 88
    colour = {"made": torch.rand(40, 3 * 64 * 64)} if "3, 64, 64" in line else {}
    assert eval(line, names | colour) is not None or "set_seed" in line


@pytest.mark.parametrize("title", ENTRIES)
def test_every_cause_leads_to_a_section(title):
    causes = re.findall(r"^\d\. ", ENTRIES[title], re.MULTILINE)
    links = LINK.findall(ENTRIES[title])
    assert 1 <= len(causes) == len(links)
    for page, anchor in links:
        cells = nbformat.read(BOOK / f"{page}.ipynb", as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        assert anchor in {default_slugify(title) for title in re.findall(r"^##+ (.*?)\s*$", text, re.MULTILINE)}
