"""Whatever one field of a frame holds: it is read into something the rest of the program can use, or refused.

Found by the fault drill: an integer of 400 digits ended the program with an OverflowError, and one above 2^63 got as
far as the ledger's database.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from xtitan_core.deriv.errors import DerivError, FrameError
from xtitan_core.deriv.history import parse_history
from xtitan_core.deriv.protocol import (
    MAX_FRAME_DEPTH,
    Balance,
    BuyReceipt,
    OpenContract,
    Proposal,
    Tick,
    decode,
    error_of,
)
from xtitan_core.deriv.records import PortfolioContract, Shortcode, StatementRow, Transaction

NOW = 1_789_347_036
CODE = f"CALL_R_50_18.83_{NOW}_{NOW + 15}_S0P_0"
MONEY = {"payout": 18.83, "purchase_time": NOW, "contract_id": 12_859_891_379, "transaction_id": 24_655_144_239}
FRAMES: list[tuple[Callable[[Any], object], dict[str, Any]]] = [
    (Tick.from_frame, {"tick": {"epoch": NOW, "pip_size": 4, "quote": 91.86, "symbol": "R_50"}}),
    (Balance.from_frame, {"balance": {"balance": 9945.74, "currency": "USD", "loginid": "DOT90000001"}}),
    (
        Proposal.from_frame,
        {
            "proposal": {
                "ask_price": 10,
                "date_expiry": NOW + 15,
                "date_start": NOW,
                "id": "00000000-0000-4000-8000-000000000001",
                "longcode": "Win payout if",
                "payout": 18.83,
                "spot": 92.0409,
                "spot_time": NOW,
            }
        },
    ),
    (
        BuyReceipt.from_frame,
        {"buy": {**MONEY, "balance_after": 9, "buy_price": 10, "longcode": "W", "shortcode": CODE, "start_time": NOW}},
    ),
    (
        OpenContract.from_frame,
        {
            "proposal_open_contract": {
                **MONEY,
                "buy_price": "10.00",
                "contract_type": "CALL",
                "date_expiry": NOW + 15,
                "date_start": NOW,
                "entry_spot": "92.0252",
                "entry_spot_time": NOW + 2,
                "exit_spot": "92.0308",
                "exit_spot_time": NOW + 14,
                "is_expired": 1,
                "is_sold": 1,
                "profit": "8.83",
                "sell_price": "18.83",
                "sell_time": NOW + 15,
                "shortcode": CODE,
                "status": "won",
                "transaction_ids": {"buy": 1, "sell": 2},
                "underlying_symbol": "R_50",
            }
        },
    ),
    (
        Transaction.from_frame,
        {"transaction": {**MONEY, "action": "buy", "amount": -10, "balance": 9.5, "transaction_time": NOW}},
    ),
    (
        StatementRow.list_from_frame,
        {
            "statement": {
                "transactions": [
                    {
                        **MONEY,
                        "action_type": "buy",
                        "amount": -10,
                        "balance_after": 9.5,
                        "transaction_time": NOW,
                        "shortcode": CODE,
                        "longcode": "W",
                        "reference_id": 3,
                    }
                ]
            }
        },
    ),
    (
        PortfolioContract.list_from_frame,
        {
            "portfolio": {
                "contracts": [
                    {
                        **MONEY,
                        "underlying_symbol": "R_50",
                        "contract_type": "CALL",
                        "buy_price": 10,
                        "expiry_time": NOW + 15,
                        "shortcode": CODE,
                    }
                ]
            }
        },
    ),
    (parse_history, {"history": {"times": [NOW, NOW + 2], "prices": [91.8, 91.9]}, "pip_size": 4}),
    (error_of, {"msg_type": "buy", "error": {"code": "RateLimit", "message": "Wait.", "details": {"a": "b"}}}),
]
HOSTILE = {
    "9 x 400": "9" * 400,
    "minus 9 x 400": "-" + "9" * 400,
    "2^63": str(2**63),
    "2^64": str(2**64),
    "1e400": "1e400",
    "-1e400": "-1e400",
    "1e308": "1e308",
    "1e-320": "1e-320",
    "-1": "-1",
    "0": "0",
    "true": "true",
    "false": "false",
    "null": "null",
    "empty text": '""',
    "text of a huge number": f'"{"9" * 400}"',
    "a long text": f'"{"a" * 100_000}"',
    "a lone surrogate": r'"\ud800"',
    "a NUL": r'"\u0000"',
    "a terminal escape": r'"\u001b[2J"',
    "a list": "[]",
    "a list of a huge number": f"[{'9' * 400}, 1]",
    "a list of truth values": "[true, true]",
    "a list of infinity": "[1e400, 1e400]",
    "an object": "{}",
    "nested as deep as a frame may be": "[" * (MAX_FRAME_DEPTH - 5) + "]" * (MAX_FRAME_DEPTH - 5),
}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """``(container, key)`` of everything inside a frame."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from places(inner)


def mutations(frame: dict[str, Any], literal: str) -> Iterator[str]:
    """The frame's text with each value in turn replaced by a literal."""
    count = len(list(places(frame)))
    for n in range(count):
        damaged = copy.deepcopy(frame)
        container, key = list(places(damaged))[n]
        container[key] = "HERE"
        yield json.dumps(damaged).replace('"HERE"', literal)


def usable(result: object) -> None:
    """Everything read goes into a database, a float and a file."""
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        for item in dataclasses.fields(result):
            usable(getattr(result, item.name))
    elif isinstance(result, list):
        for row in result:
            usable(row)
    elif isinstance(result, int | float | str) or result is None:
        with contextlib.closing(sqlite3.connect(":memory:")) as database:
            database.execute("SELECT ?", (result,))
        float(result) if isinstance(result, int | float) else str(result).encode()


@pytest.mark.parametrize("name", HOSTILE)
def test_any_value_in_any_field_is_read_safely_or_refused(name: str) -> None:
    tried, refusals = 0, list[str]()
    for read, frame in FRAMES:
        for text in mutations(frame, HOSTILE[name]):
            tried += 1
            try:
                result = read(decode(text))
            except FrameError as error:
                refusals.append(str(error))
                continue
            usable([result.code, result.message, result.call] if isinstance(result, DerivError) else result)
    assert tried > 100
    assert refusals, "some field cannot hold this"
    assert max(map(len, refusals)) < 200, "one line, however long the value"


@pytest.mark.parametrize(("read", "frame"), FRAMES)
def test_the_same_frames_undamaged_are_read(read: Callable[[Any], object], frame: dict[str, Any]) -> None:
    assert read(decode(json.dumps(frame))) is not None


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' + "9" * 5_000 + "}",
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        '{"a":' + "[" * 40 + "]" * 40 + "}",
        '{"a":1',
        "\ud800",
    ],
    ids=["more digits than Python converts", "deeper than Python recurses", "deep", "truncated", "surrogate"],
)
def test_a_frame_that_no_parser_survives_is_a_frame_error(text: str) -> None:
    with pytest.raises(FrameError):
        decode(text)


def test_a_frame_of_many_shallow_objects_is_no_deep_one() -> None:
    assert len(decode(json.dumps({"rows": [{"a": [1, {}]}] * 300}))["rows"]) == 300


def test_an_error_code_is_never_trimmed_into_one_that_proves_something() -> None:
    for code in ("Rate\x00Limit", "RateLimit\n", "RateLimit" + " " * 100, 5, None, ["RateLimit"], ""):
        error = error_of({"msg_type": "buy", "error": {"code": code, "message": "a\x1b[2Jb\ud800"}})
        assert error is not None
        assert (error.code, error.message) == ("Unknown", "a [2Jb ")


@pytest.mark.parametrize(
    ("start", "end"), [("9" * 5_000, "5T"), (str(NOW), "9" * 5_000), (str(NOW), "9" * 5_000 + "T")]
)
def test_a_shortcode_with_an_endless_number_is_refused(start: str, end: str) -> None:
    with pytest.raises(FrameError, match="shortcode"):
        Shortcode.parse(f"CALL_R_50_18.83_{start}_{end}_S0P_0")


def test_a_history_of_truth_values_is_no_history() -> None:
    with pytest.raises(FrameError, match="numbers"):
        parse_history({"history": {"times": [1, 2], "prices": [True, 2]}, "pip_size": 2})
