"""The table of results says what was measured: the arithmetic of a row, and a page that is made from the file."""

import ast
import json

import nbformat
import numpy as np
import pytest
import torch

from benchmarks import findings, phase, recurrent, target, topics
from benchmarks.covariance import crossing, on_covariance, on_images
from benchmarks.report import JSON, PAGE, Row, Seeds, duration, page, running_time, table
from benchmarks.usual import negative_elbo
from vaelib.linear import covariance
from vaelib.models import mlp_vae
from vaelib.train import set_seed

ROW = Row("epoch", "an epoch", "cpu", [(10.0, 2.0), (12.0, 3.0), (9.0, 1.0), (8.0, 2.0), (10.0, 2.5)])


def test_a_ratio_is_taken_pair_by_pair():
    assert ROW.ratios == [4.0, 4.0, 4.0, 5.0, 9.0]
    assert ROW.medians() == (10.0, 2.0)
    assert table([ROW]).splitlines()[1].split() == ["an", "epoch,", "cpu", "10", "2", "4.0", "4.0", "to", "9.0"]


def test_the_page_of_results_is_made_from_the_file():
    results = json.loads(JSON.read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == page(results)
    for row in results["rows"]:
        assert len(row["pairs"]) >= 5 and all(seconds > 0 for pair in row["pairs"] for seconds in pair)


def test_both_gradients_of_a_linear_autoencoder_agree_with_autograd():
    torch.manual_seed(0)
    x = torch.randn(50, 6, dtype=torch.float64)
    x = x - x.mean(0)
    encoder, decoder = (torch.randn(*shape, dtype=torch.float64).requires_grad_() for shape in ((2, 6), (6, 2)))
    loss = (x @ encoder.T @ decoder.T - x).square().sum(1).mean() / 2
    expected = torch.autograd.grad(loss, (encoder, decoder))
    for found in (on_images(encoder, decoder, x), on_covariance(encoder, decoder, covariance(x))):
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a, b)


def test_half_precision_rounds_the_layers_and_nothing_else():
    model, x, losses = mlp_vae(784, 20), torch.rand(64, 784), []
    for loss in (negative_elbo, target.in_half):
        set_seed(0)
        losses.append(loss(model, x))
    exact, half = losses
    assert {part.dtype for part in half} == {torch.float32} and half[0] != exact[0]
    torch.testing.assert_close(half, exact, rtol=1e-3, atol=1e-3)


def rows_with(**named):
    """Rows as the file holds them, {key: (name, pairs)}."""
    machine = dict.fromkeys(("date", "processor", "python", "torch", "threads"), "")
    keys = [(key.replace("_", " "), *row) for key, row in named.items()]
    return [{"key": k, "name": name, "device": "cpu", "pairs": pairs, "machine": machine} for k, name, pairs in keys]


def test_a_race_is_explained_only_where_it_was_run_and_as_it_was_run():
    assert "tenth epoch" not in page({"rows": rows_with(epoch=("an epoch", [(2.0, 1.0)] * 5))})
    cold = page({"rows": rows_with(target=("whole process, to the tenth epoch", [(2.0, 1.0)] * 5))})
    warm = page({"rows": rows_with(target=("inside one running process, to the tenth epoch", [(2.0, 1.0)] * 5))})
    assert "start cold" in cold and "start warm" not in cold
    assert "start warm" in warm and "start cold" not in warm


def test_the_page_says_when_the_covariance_is_paid_for():
    alone = {"covariance_steps": ("the covariance there already", [(4.0, 0.5)] * 5)}
    both = {"covariance": ("ten steps, covariance built first", [(4.0, 1.5)] * 5)} | alone
    assert "paid for itself" not in page({"rows": rows_with(**alone)})
    assert "has paid for itself after 3 steps" in page({"rows": rows_with(**both)})  # 10 (1.5 - 0.5) / (4 - 0.5)
    assert crossing(4.0, 1.0, 0.5) == 3


def test_seeds_are_reported_by_their_median_and_range():
    text = str(Seeds("cpu", [(101.0, 20.0), (103.0, 21.0), (102.0, 25.2)]))
    assert "102.0 nats" in text and "(101.0 to 103.0)" in text and "20 to 25 s" in text


def test_minutes_say_where_they_were_measured_and_where_not():
    runs = [{"device": "cpu", "seconds": {"a": 130.0, "b": 20.4}}, {"device": "NVIDIA H200", "seconds": {"a": 31.0}}]
    text = running_time({"chapters": runs}, "a")
    assert text == "Runs in 2.2 min on two CPU cores, 31 s on a large GPU; not measured on a free Colab GPU"
    assert running_time({"chapters": runs}, "b").endswith("not measured on a free Colab GPU or a large GPU")
    assert running_time({"chapters": runs}, "c") == running_time({}, "a") == ""
    assert [duration(x) for x in (None, 89.4, 96.0)] == ["not measured", "89 s", "1.6 min"]
    row = ROW._asdict() | {"machine": dict.fromkeys(("date", "processor", "python", "torch", "threads"), "")}
    machine = {"machine": row["machine"]}
    text = page({"rows": [row], "chapters": [run | machine for run in runs]})
    assert "| {doc}`b` | 20 s | not measured | not measured |" in text


def test_every_chapter_has_its_running_time():
    results = json.loads(JSON.read_text(encoding="utf-8"))
    for path in PAGE.parent.glob("0[0-9]_*.ipynb"):
        assert running_time(results, path.stem), f"{path.stem}: run `python -m benchmarks chapters --save`"


@pytest.mark.parametrize("missing", ["pairs", "machine"])
def test_a_row_without_its_measurements_makes_no_page(missing):
    row = ROW._asdict() | {"machine": dict.fromkeys(("date", "processor", "python", "torch", "threads"), "")}
    del row[missing]
    with pytest.raises(KeyError):
        page({"rows": [row]})


def test_a_finding_needs_the_cells_that_make_what_it_uses_and_no_others():
    cells = ["import torch", "def double(x):\n    return 2 * x", "unused = 1", "a = double(torch.ones(1))", "b = a + 1"]
    cells += ["observe('obs-b', {'b': b}, 'what')", "c = b"]
    cells.insert(5, "pairs = [b for b in range(2)]")  # its b is its own, and so is the one below
    cells.insert(6, "def unrelated():\n    b = 2\n    return b")
    kept = [ast.unparse(tree) for tree in findings.needed([ast.parse(cell) for cell in cells])]
    assert kept == [cells[0], cells[1], cells[3], cells[4], cells[7].replace('"', "'")]


def test_what_a_chapter_observes_is_recorded_with_its_seeds_moved(tmp_path, monkeypatch):
    notebook = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_code_cell("from vaelib.checks import observe\nfrom vaelib.train import set_seed\nimport torch"),
        nbformat.v4.new_code_cell("set_seed(1)\nx = torch.rand(1).item()"),
        nbformat.v4.new_code_cell("observe('obs-x', {'x': x}, 'a draw', unit='of 1', from_run='')"),
        nbformat.v4.new_code_cell("observe('obs-y', {'y': [1, 2, 3]}, 'on the page', unit='', seeds=3)"),
    ])  # fmt: skip
    nbformat.write(notebook, tmp_path / "small.ipynb")
    monkeypatch.setattr(findings, "BOOK", tmp_path)
    monkeypatch.setattr(findings, "CHAPTERS", {"small": "small"})
    before = findings.checks.observe
    found = [findings.run("small", seed) for seed in (0, 0, 1)]
    assert findings.checks.observe is before
    assert found[0] == found[1] != found[2] and list(found[0]) == ["obs-x: a draw"]
    set_seed(101)
    assert found[2]["obs-x: a draw"]["x"] == torch.rand(1).item()


def test_findings_are_a_table_of_the_page():
    row = ROW._asdict() | {"machine": dict.fromkeys(("date", "processor", "python", "torch", "threads"), "")}
    runs = [{"obs-x: a draw": {"x": value}} for value in (1.0, 3.0, 2.0)]
    text = page(
        {"rows": [row], "findings": [{"key": "digits", "device": "cpu", "runs": runs, "machine": row["machine"]}]}
    )
    assert "| a draw | x | 2 | 1 to 3 |" in text
    assert "x: 2 (1 to 3)" in str(findings.Findings("digits", "cpu", runs))


def tiny(monkeypatch):
    for name, value in {"STEPS": 4, "BATCH": 8, "TESTS": 40, "JUDGED": 10}.items():
        monkeypatch.setattr(recurrent, name, value)
    for name, value in {"STEPS": 4, "BATCH": 8, "TESTS": 40, "JUDGED": 10, "SEEDS": 1}.items():
        monkeypatch.setattr(topics, name, value)
    monkeypatch.setattr(phase, "pictures", lambda: (torch.randint(256, (512, 784)).byte(),) * 2)


def test_every_point_of_the_phase_diagram_runs_alone_and_all_are_stored_together(monkeypatch, tmp_path):
    tiny(monkeypatch)
    names = {"phase-1-0": "phase", "cure-no_code": "cure", "cure-warm-up": "cure", "cure-lagging_encoder": "cure"}
    names["gru-code_everywhere"] = "gru"
    assert names.keys() <= set(phase.POINTS) and len(set(phase.POINTS)) == len(phase.POINTS) <= 30
    found = {name: phase.run(name, passes=1)["runs"] for name in names}
    assert [len(run) for run in found["phase-1-0"]] == [2] * len(phase.LATENTS)
    assert [len(run) for run in found["gru-code_everywhere"]] == [len(recurrent.MEASURED)] * recurrent.SEEDS
    for name in list(names)[1:4]:
        assert [[len(run) for run in runs] for runs in found[name]] == [[len(topics.MEASURED)] * 3] * len(topics.WORLDS)
    assert all(run[1:3] == [0.0, 0.0] for runs in found["cure-no_code"] for run in runs)
    whole = [{"point": point, "date": "2026-11-26", "runs": found["cure-no_code"]} for point in phase.POINTS]
    for one in whole:
        if one["point"].startswith("phase"):
            one["runs"] = [[L, float(one["point"].split("-")[1])] for L in phase.LATENTS]
        if one["point"].startswith("gru"):
            one["runs"] = found["gru-code_everywhere"]
    with pytest.raises(ValueError, match=r"every point must be there; got none of phase-0\.5-0$"):
        phase.store(whole[1:], tmp_path / "kept.npz")
    phase.store(whole, tmp_path / "kept.npz")
    kept = np.load(tmp_path / "kept.npz")
    assert kept["phase"].shape == (len(phase.LEVELS), len(phase.LATENTS), phase.SEEDS, 2)
    assert (kept["phase"][..., 0] == np.array(phase.LATENTS)[:, None]).all()
    assert (kept["phase"][..., 1] == np.array(phase.LEVELS)[:, None, None]).all()
    assert kept["cures"].shape == (len(topics.CURES), len(topics.WORLDS), 3, len(topics.MEASURED))
    assert kept["gru"].shape == (len(recurrent.WAYS), recurrent.SEEDS, len(recurrent.MEASURED))


def test_the_code_enters_a_recurrent_decoder_at_the_start_or_everywhere_and_no_symbol_is_read_too_early():
    torch.manual_seed(0)
    x, z = torch.eye(5)[torch.randint(5, (3, 7))], torch.randn(2, 3, 4)
    for everywhere in (False, True):
        model = recurrent.Recurrent(5, 4, 8, everywhere)
        logits = model._logits(x, z)
        assert logits.shape == (2, 3, 7, 5) and model.log_likelihood(x, z).shape == (2, 3)
        torch.testing.assert_close(
            logits[1, :, :4], model._logits(torch.cat([x[:, :3], x.flip(0)[:, 3:]], 1), z)[1, :, :4]
        )
        assert not torch.allclose(logits[0], logits[1])


def test_a_lagging_decoder_waits_while_its_encoder_learns(monkeypatch):
    tiny(monkeypatch)
    monkeypatch.setattr(topics, "STEPS", 2)  # the first step moves both, the second the encoder alone
    x = topics.sequences(topics.WORLDS[0])[1]
    one, two = (topics.train(topics.CURES["lagging encoder"], 0, part) for part in (x[:8], x))
    moved = {name.split(".")[0] for (name, a), b in zip(one.named_parameters(), two.parameters(), strict=True)
             if not torch.equal(a, b)}  # fmt: skip
    assert moved == {"encoder"}
