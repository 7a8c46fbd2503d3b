"""The catalogue is complete, and agrees with itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from paper_exchange.faults.catalogue import CATALOGUE, NOT_OURS, FaultName, listing
from paper_exchange.faults.script import fault

TESTS = Path(__file__).parent


def test_every_name_has_its_line() -> None:
    assert set(CATALOGUE) == set(FaultName)
    assert all(entry.what and entry.where for entry in CATALOGUE.values())
    assert [row["fault"] for row in listing()] == [str(name) for name in CATALOGUE]


def test_every_point_of_the_failure_model_has_a_fault_or_a_reason() -> None:
    ours = {point for entry in CATALOGUE.values() for point in entry.where} - {"network"}
    assert ours | set(NOT_OURS) == {f"P{n}" for n in range(31)}
    assert not ours & set(NOT_OURS)


@pytest.mark.parametrize("name", list(FaultName))
def test_what_a_random_mix_draws_a_script_may_say(name: FaultName) -> None:
    for key, parameter in CATALOGUE[name].parameters.items():
        for value in (parameter.default, *parameter.drawn):
            assert fault(name, **{key: value}).values[key] == value


@pytest.mark.parametrize("name", list(FaultName))
def test_every_fault_is_shown_by_a_test_of_its_effect(name: FaultName) -> None:
    shown = [path for path in TESTS.glob("test_*.py") if path != Path(__file__)]
    written = re.compile(rf"[\"'f]{name}[\"':]")
    assert any(written.search(path.read_text()) for path in shown)
