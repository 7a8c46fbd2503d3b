"""What counts as a request at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from paper_exchange.protocol.decoding import MAX_REQUEST_DEPTH, decode_request, sane


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "{", "}", "null", "true", "7", '"ping"', "[]", '[{"ping":1}]', '{"ping":1}{"ping":1}', '{"ping":1} x',
        '{"ping":NaN}', '{"ping":Infinity}', '{"ping":-Infinity}', '{"ping":1e400}', '{"ping":-1e400}', "{'ping':1}",
        '{"ping":' + "9" * 400 + "}", '{"ping":' + "9" * 10_000 + "}", '{"ping":01}', '{"ping":+1}', '{"ping":.5}',
        '{"ping":1,}', "{ping:1}", "\x00", '{"ping":1\x00}', '{"ping":"\n"}', "\ufeff" + '{"ping":1}', "[" * 100_000,
        '{"a":' * 100_000,
    ],
)  # fmt: skip
def test_is_no_request(text: str) -> None:
    assert decode_request(text) is None


def nested(depth: int) -> str:
    """An object inside objects and arrays, ``depth`` levels in all."""
    inner: Any = 1
    for level in range(depth - 1):
        inner = [inner] if level % 2 else {"a": inner}
    return json.dumps({"ping": inner})


def test_depth_is_limited_and_width_is_not() -> None:
    assert decode_request(nested(MAX_REQUEST_DEPTH)) is not None
    assert decode_request(nested(MAX_REQUEST_DEPTH + 1)) is None
    assert decode_request(nested(500)) is None
    assert decode_request(json.dumps({"ping": [[]] * 5_000})) is not None
    assert decode_request(json.dumps({"ping": "[" * 5_000})) is not None


def test_numbers() -> None:
    texts = ["0", "-0", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" * 300, "1.0", "1e2"]
    parsed = [decode_request(f'{{"v":{text}}}') for text in texts]
    values = [request["v"] for request in parsed if request is not None]
    assert values == [0, 0, 2**63 - 1, 2.0**63, -(2.0**63), float("1" * 300), 1.0, 100.0]
    assert [type(value) for value in values] == [int, int, int, float, float, float, float, float]


def test_the_last_of_two_members_counts() -> None:
    assert decode_request('{"ping":1,"ping":2}') == {"ping": 2}


@pytest.mark.parametrize("name", ["", " ", "a b", "ünder", "a" * 51, "a\n", "a.b", "$ref"])
def test_unfit_names(name: str) -> None:
    assert not sane({"ping": 1, name: 1})


@pytest.mark.parametrize("value", ["\x00", "a\nb", "\x7f", "\ud800", "a\u2028b"])
def test_texts_that_cannot_be_printed(value: str) -> None:
    assert not sane({"forget": value})


def test_sane_requests() -> None:
    assert sane({"ping": 1, "req_id": 2, "passthrough": {"a b": "\x00"}})
    assert sane({"ticks": "R_100", "a" * 50: "", "A-z_9": "größer 1 €"})
