"""The page on your own data: its model trains, and the doctor has nothing to say of it."""

import re

import pytest
import torch
from find import ROOT

from vaelib.doctor import examine

CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_lines_of_the_page_run_one_after_the_other_and_end_in_a_model_without_a_fault(capsys):
    torch.manual_seed(0)
    names = {}
    (first,) = CODE.findall((ROOT / "vaelib" / "README.md").read_text(encoding="utf-8"))
    (second,) = CODE.findall((ROOT / "book" / "own_data.md").read_text(encoding="utf-8"))
    exec(first, names)
    exec(second, names)
    assert capsys.readouterr().out.splitlines()[1] == "nothing found"
    mute = names["model"].requires_grad_(False)
    mute.decoder[0].weight.zero_()  # a decoder that reads nothing
    x = names["x"]
    report = examine(mute.encode, names["reparameterize"], mute.decode, names["loss"], train=x[:200])
    assert not report.healthy
