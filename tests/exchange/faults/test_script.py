"""How faults are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from paper_exchange.errors import SetupError
from paper_exchange.faults.catalogue import Point
from paper_exchange.faults.injection import Faults
from paper_exchange.faults.script import from_object, parse, read_script


def test_a_name_alone_is_the_next_occasion_of_its_usual_call() -> None:
    found = parse("answer_held")
    assert (found.nth, found.times, found.at, found.call, found.values) == (1, 1, None, "buy", {})


def test_everything_can_be_said() -> None:
    found = parse("executed_late:nth=3,times=2,at=1772409700,call=sell,account=DOT1,seconds=200")
    assert found == from_object(
        {"fault": "executed_late", "nth": 3, "times": 2, "at": 1_772_409_700, "call": "sell", "account": "DOT1",
         "seconds": 200}
    )  # fmt: skip
    assert from_object(found.as_script()) == found


def test_any_call() -> None:
    assert parse("request_lost:call=any").call == ""


def test_a_moment_becomes_an_occasion_when_a_call_is_named() -> None:
    assert parse("drop").point is Point.TIME
    assert parse("drop:call=buy").point is Point.REQUEST


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("explode", "unknown fault 'explode'; choose one of"),
        ("", "unknown fault"),
        ("answer_held:2", "is not NAME"),
        ("answer_held:nth=1,nth=2", "is not NAME"),
        ("answer_held:nth=0", "nth cannot be 0"),
        ("answer_held:nth=1.5", "nth cannot be 1.5"),
        ("answer_held:nth=-1", "from 1 on"),
        ("answer_held:seconds=3", "takes no 'seconds'"),
        ("answer_late:seconds=201", "within 1 to 200"),
        ("answer_late:seconds=0", "within 1 to 200"),
        ("answer_late:seconds=2.5", "whole number"),
        ("answer_late:seconds=soon", "write a number"),
        ("answer_late:seconds=nan", "write a number"),
        ("garbled:how=nicely", "choose one of truncated"),
        ("otp_refused:status=200", "choose one of 401"),
        ("drop:code=999", "1000 to 4999"),
    ],
)
def test_mistakes_are_one_line_that_says_what_to_do(text: str, words: str) -> None:
    with pytest.raises(SetupError, match=words) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)


@pytest.mark.parametrize(
    "said",
    [
        None, [], "drop", {}, {"fault": 1}, {"fault": "drop", "code": "1006"}, {"fault": "drop", "code": True},
        {"fault": "drop", "nth": "1"}, {"fault": "drop", "call": 1}, {"fault": "drop", "account": "x" * 65},
        {"fault": "deposit", "amount": float("inf")}, {"fault": "answer_held", "nth": True}, {"fault": ["drop"]},
    ],
)  # fmt: skip
def test_json_that_is_no_fault(said: Any) -> None:
    with pytest.raises(SetupError):
        from_object(said)


def test_a_file_of_lines(tmp_path: Path) -> None:
    file = tmp_path / "script.jsonl"
    file.write_text('{"fault": "drop", "at": 5}\n\n{"fault": "answer_lost"}\n')
    assert [str(found.name) for found in read_script(file)] == ["drop", "answer_lost"]


@pytest.mark.parametrize("line", ['{"fault": "explode"}', "drop", "[" * 100_000, "\x00"])
def test_a_file_with_a_mistake_names_the_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "script.jsonl"
    file.write_text('{"fault": "drop"}\n' + line + "\n")
    with pytest.raises(SetupError, match="line 2"):
        read_script(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot read"):
        read_script(tmp_path / "gone.jsonl")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SetupError, match="no text"):
        read_script(tmp_path / "binary")


def test_nothing_is_armed_until_something_is_asked_for() -> None:
    faults = Faults()
    assert not faults.armed
    faults.script(parse("drop"))
    assert faults.armed
