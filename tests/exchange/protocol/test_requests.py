"""Request validation: Deriv's wording, and agreement with Deriv's published schemas on thousands of requests."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paper_exchange.errors import CallError
from paper_exchange.protocol.requests import REQUESTS
from paper_exchange.protocol.schema import Field, validate

ID = "0123456789abcdef0123456789abcdef"
CONTRACT = {"contract_type": "CALL", "currency": "USD", "underlying_symbol": "R_100"}
VALID: dict[str, dict[str, Any]] = {
    "ping": {"ping": 1},
    "time": {"time": 1},
    "active_symbols": {"active_symbols": "brief"},
    "contracts_for": {"contracts_for": "R_100"},
    "trading_times": {"trading_times": "today"},
    "ticks": {"ticks": "R_100"},
    "ticks_history": {"ticks_history": "R_100", "end": "latest"},
    "proposal": {"proposal": 1, **CONTRACT},
    "buy": {"buy": ID, "price": 10, "parameters": dict(CONTRACT)},
    "sell": {"sell": 12, "price": 0},
    "proposal_open_contract": {"proposal_open_contract": 1},
    "portfolio": {"portfolio": 1},
    "profit_table": {"profit_table": 1},
    "statement": {"statement": 1},
    "transaction": {"transaction": 1, "subscribe": 1},
    "balance": {"balance": 1},
    "contracts_list": {"contracts_list": 1},
    "cancel": {"cancel": 12},
    "contract_update": {"contract_update": 1, "contract_id": 12, "limit_order": {"take_profit": 5}},
    "contract_update_history": {"contract_update_history": 1, "contract_id": 12},
    "forget": {"forget": ID},
    "forget_all": {"forget_all": "ticks"},
    "logout": {"logout": 1},
}
VALUES: list[Any] = [
    0, 1, 2, -1, 60, 61, 500, 501, 999, 1000, 10**10, 0.5, 1.5, True, False, None, "", "1", "t", "d", "x", "latest",
    "1700000000", "R_100", "R-100", "+0.1", "-12", "abc", "stake", "payout", "ticks", "candles", "ASC", "buy", "CALL",
    "DIGITODD", "LBHIGHLOW", "2026-03-02", "2026-13-02", "today", ID, ID[:31], "USD", "U", [], ["R_100"], ["ticks"],
    ["CALL", "PUT"], ["CALL", "CALL"], ["x y"], [1], {}, {"a": 1}, {"stop_loss": 1}, {"stop_loss": "1"}, {"stop_loss": None}, CONTRACT,
    {**CONTRACT, "symbol": "R_100"}, {"contract_type": "CALL"},
]  # fmt: skip


def refused(call: str, request: dict[str, Any]) -> CallError | None:
    try:
        validate(REQUESTS[call], request)
    except CallError as error:
        return error
    return None


def test_every_call_has_a_valid_example() -> None:
    assert set(VALID) == set(REQUESTS)
    assert not [call for call, request in VALID.items() if refused(call, request)]


def as_schema(field: Field) -> dict[str, Any]:
    """A field in the language of the published schemas."""
    if field.otherwise is not None:
        return {"oneOf": [as_schema(replace(field, otherwise=None)), as_schema(field.otherwise)]}
    schema: dict[str, Any] = {"type": ["null", field.kind] if field.null else field.kind}
    if field.enum:
        schema["enum"] = sorted(field.enum)
    if field.pattern:
        schema["pattern"] = field.pattern
    for bound in ("minimum", "maximum"):
        if getattr(field, bound) is not None:
            schema[bound] = getattr(field, bound)
    if field.items is not None:
        schema["items"] = as_schema(field.items)
    if field.members is not None:
        schema |= {"additionalProperties": False, "properties": {k: as_schema(v) for k, v in field.members.items()}}
    if field.required:
        schema["required"] = sorted(field.required)
    return schema


def rules_only(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A published schema without its texts and defaults, references resolved."""
    if "$ref" in schema:
        return rules_only(definitions[schema["$ref"].removeprefix("#/definitions/")], definitions)
    rules: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("enum", "required"):
            rules[key] = sorted(value)
        elif key == "properties":
            rules[key] = {name: rules_only(inner, definitions) for name, inner in value.items()}
        elif key == "items":
            rules[key] = rules_only(value, definitions)
        elif key == "oneOf":
            rules[key] = [rules_only(inner, definitions) for inner in value]
        # "uniqueItems" stands beside the items' enum there, where it rules nothing.
        elif key not in ("description", "title", "default", "examples", "uniqueItems"):
            rules[key] = value
    return rules


def test_the_table_names_every_published_websocket_call(published: Any) -> None:
    # The others in the folder are REST.
    rest = {"bulk_purchase", "create_account", "get_accounts", "health", "reset_demo_balance", "websocket"}
    assert {folder.name for folder in published.folder.iterdir() if folder.is_dir()} - rest == set(REQUESTS)


@pytest.mark.parametrize("call", list(REQUESTS))
def test_the_table_is_the_published_schema(call: str, published: Any) -> None:
    schema = published.validator(call, "send").schema
    ours = REQUESTS[call]
    definitions = schema.get("definitions", {})
    assert {name: as_schema(field) for name, field in ours.every.items()} == {
        name: rules_only(inner, definitions) for name, inner in schema["properties"].items()
    }
    assert schema["additionalProperties"] is False
    assert set(ours.required) == set(schema["required"])
    assert call in ours.required
    assert ours.account == bool(schema["auth_required"])


@pytest.mark.parametrize("call", list(REQUESTS))
def test_accepts_and_refuses_what_the_published_schema_does(call: str, published: Any) -> None:
    validator = published.validator(call, "send")
    base = VALID[call]
    fields = [*REQUESTS[call].every, "symbol", "product_type"]
    tried = 0
    for name, value in itertools.product(fields, VALUES):
        request = {**base, name: value}
        assert (refused(call, request) is None) == validator.is_valid(request), request
        tried += 1
    for name in REQUESTS[call].required:
        request = {k: v for k, v in base.items() if k != name}
        assert refused(call, request), request
    assert tried > 200


def test_nested_parameters_of_buy_are_closed_too(published: Any) -> None:
    validator = published.validator("buy", "send")
    names = [*validator.schema["properties"]["parameters"]["properties"], "loginid"]
    for name, value in itertools.product(names, VALUES):
        request = {"buy": "1", "price": 1, "parameters": {**CONTRACT, name: value}}
        assert (refused("buy", request) is None) == validator.is_valid(request), request


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=st.sampled_from(list(REQUESTS)), data=st.data())
def test_any_json_is_either_accepted_or_refused_in_words(call: str, data: st.DataObject) -> None:
    fields = st.sampled_from(list(REQUESTS[call].every)) | st.text(max_size=8)
    extra = data.draw(st.dictionaries(fields, JSON, max_size=4))
    error = refused(call, {**VALID[call], **extra})
    assert error is None or error.code == "InputValidationFailed"
    assert error is None or (error.message.startswith("Input validation failed: ") and error.details)


@pytest.mark.parametrize(
    ("call", "change", "message", "details"),
    [
        ("ticks", {"subscribe": 0}, "Input validation failed: subscribe", {"subscribe": "Not in enum list: 1."}),
        (
            "proposal",
            {"symbol": "R_100"},
            "Input validation failed: Properties not allowed: symbol",
            {"_root": "Properties not allowed: symbol."},
        ),
        (
            "proposal",
            {"duration": "5"},
            "Input validation failed: duration",
            {"duration": "Expected integer - got string."},
        ),
        ("balance", {"balance": None}, "Input validation failed: balance", {"balance": "Expected integer - got null."}),
        ("ping", {"req_id": True}, "Input validation failed: req_id", {"req_id": "Expected integer - got boolean."}),
        ("statement", {"limit": 1000}, "Input validation failed: limit", {"limit": "1000 > maximum(999)"}),
    ],
)
def test_wording(call: str, change: dict[str, Any], message: str, details: dict[str, str]) -> None:
    error = refused(call, {**VALID[call], **change})
    assert error is not None
    assert (error.message, error.details) == (message, details)


def test_missing_members_are_named() -> None:
    error = refused("ticks_history", {"ticks_history": "R_100"})
    assert error is not None
    assert error.details == {"end": "Missing property."}


def test_every_wrong_member_is_named() -> None:
    error = refused("proposal", {"proposal": 1, "contract_type": "CALL", "duration": "5", "symbol": "R_100"})
    assert error is not None
    assert error.message == (
        "Input validation failed: currency, underlying_symbol, duration, Properties not allowed: symbol"
    )
    assert error.details == {
        "currency": "Missing property.",
        "underlying_symbol": "Missing property.",
        "duration": "Expected integer - got string.",
        "_root": "Properties not allowed: symbol.",
    }


def test_a_pattern_holds_to_the_very_end() -> None:
    assert refused("contracts_for", {"contracts_for": "R_100\n"})
