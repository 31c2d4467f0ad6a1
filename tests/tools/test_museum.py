"""What the museum stores is what was run, and how it counts."""

import json

import numpy as np
import pytest

from benchmarks import museum
from benchmarks.patients import BLIND, HEALTHY, NEW, TUNED
from vaelib.doctor import SECTIONS, stored_museum

ROWS = [
    {"group": "tuned", "name": "a", "faults": ["x", "y"], "said": [["y", "z"], ["z", "x"], []]},
    {"group": "healthy", "name": "b", "faults": [], "said": [[], ["z"], []]},
]


def test_a_patient_is_right_by_its_first_finding_and_a_healthy_one_by_none():
    assert [museum.right(row) for row in ROWS] == [[True, False, False], [True, False, True]]
    lines = museum.summary(ROWS).splitlines()
    assert lines[0] == "tuned    of  1: 1 0 0" and lines[3] == "healthy  of  1: 1 0 1"
    assert lines[4:] == ["a, seed 1: ['z', 'x']", "a, seed 2: []", "b, seed 1: ['z']"]


def test_there_are_forty_patients_and_twenty_healthy_ones_and_every_fault_is_one_that_the_doctor_knows():
    assert len(TUNED) + len(BLIND) + len(NEW) >= 40 and len(HEALTHY) >= 20
    assert all(set(case.faults) <= set(SECTIONS) for cases in (TUNED, BLIND, NEW) for case in cases.values())
    assert not any(case.faults for case in HEALTHY.values())


def test_the_stored_rows_are_the_patients_of_today():
    stored = stored_museum()
    expected = [(group, name, case.faults) for group, cases in museum.GROUPS.items() for name, case in cases.items()]
    assert [(one.group, one.name, one.faults) for one in stored.visited] == expected
    assert all(len(one.said) == museum.SEEDS for one in stored.visited)
    for one in stored.visited:
        assert (one.curves is None) is (one.pictures is None) is (not one.faults)
        if one.faults:
            assert one.curves.shape == (museum.LOOKS, 2) and one.pictures.shape == (3, museum.SHOWN, 8, 8)
    assert museum.STORED.stat().st_size < 60_000


@pytest.mark.slow
def test_a_patient_trained_today_looks_as_it_is_stored():
    stored = {one.name: one for one in stored_museum().visited}
    for name, case in list(TUNED.items())[:1] + list(BLIND.items())[:1]:
        curves, pictures = museum.portrait(case)
        np.testing.assert_allclose(curves, stored[name].curves, rtol=0.05)
        assert np.abs(pictures[0] / 255 - stored[name].pictures[0].numpy().reshape(6, 64)).max() < 1e-6
        assert museum.visit(case, 0) == list(stored[name].said[0])


def test_what_is_stored_is_read_back(tmp_path, monkeypatch):
    case = TUNED["no KL"]
    monkeypatch.setattr(museum, "GROUPS", {"tuned": {"a": case}, "healthy": {"b": case}})
    monkeypatch.setattr(type(case), "steps", 20, raising=False)
    monkeypatch.setattr(case, "steps", 20)
    museum.store(ROWS, tmp_path / "museum.npz")
    kept = dict(np.load(tmp_path / "museum.npz"))
    assert json.loads(str(kept["rows"]))[0]["said"] == ROWS[0]["said"]
    assert kept["curves"].shape == (1, 20, 2) and kept["pictures"].dtype == np.uint8
