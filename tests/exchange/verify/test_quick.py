"""The quick test of a schema: its yes is jsonschema's, and it is the answer to every frame of a session."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper_exchange.verify.published import CALL_OF, Published
from paper_exchange.verify.quick import quick_check

SCHEMAS: list[dict[str, Any]] = [
    {},
    {"type": "integer", "minimum": 1, "maximum": 3},
    {"type": ["null", "number"], "minimum": 0},
    {"enum": [1, "a", None, True, 1.5, []]},
    {"type": "string", "pattern": "^a+$", "minLength": 2, "maxLength": 3, "format": "date"},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 2},
    {"type": "array", "uniqueItems": True},
    {"oneOf": [{"type": "string"}, {"enum": ["a"]}]},
    {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "integer"}, "b": {"$ref": "#/definitions/pair"}},
        "additionalProperties": False,
        "definitions": {"pair": {"type": "array", "items": {"$ref": "#/definitions/pair"}}},
    },
    {"properties": {"a": {"$ref": "#/definitions/none"}}, "additionalProperties": {"type": "string"}},
    {"minimum": 2, "maxLength": 1, "minItems": 1},
]
CHECKS = [
    (schema, draft, quick_check(schema, draft.VALIDATORS))
    for schema in SCHEMAS
    for draft in (jsonschema.Draft4Validator, jsonschema.Draft7Validator)
]
LEAVES = st.sampled_from([None, True, False, 0, 1, 2, 3, 4, 1.0, 1.5, -1, "", "a", "aa", "aaa\n", "b"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(value=VALUES)
def test_its_yes_is_jsonschemas(value: Any) -> None:
    for schema, draft, check in CHECKS:
        assert not check(value) or draft(schema).is_valid(value), schema


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (SCHEMAS[1], 3),
        (SCHEMAS[2], None),
        (SCHEMAS[3], True),
        (SCHEMAS[4], "aaa"),
        (SCHEMAS[5], [True, False]),
        (SCHEMAS[8], {"a": 1, "b": [[], [[]]]}),
        (SCHEMAS[9], {"c": "x"}),
    ],
    ids=str,
)
def test_it_says_yes_to_what_is_allowed(schema: dict[str, Any], value: Any) -> None:
    assert quick_check(schema, jsonschema.Draft4Validator.VALIDATORS)(value)


def test_the_frames_of_a_session_need_no_second_look(
    venue: Any, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = venue()
    socket = market.connect("DOT90000001")
    for request in ({"ticks": "R_100", "subscribe": 1}, {"balance": 1, "subscribe": 1}, {"time": 1}, {"statement": 1}):
        socket.ask(request)
    market.advance_to(market.exchange.epoch + 60)
    asked: list[Any] = []
    monkeypatch.setattr(Published, "validator", lambda self, call, way: asked.append((call, way)))
    frames = [json.loads(text) for _, text in market.transcript]
    kinds = {CALL_OF.get(frame["msg_type"], frame["msg_type"]) for frame in frames}
    assert kinds == {"ticks", "balance", "time", "statement"}
    assert all(published.frame_problems(frame) == [] for frame in frames)
    assert asked == []
