"""Frames that the exchange has to refuse, fourteen kinds of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from paper_exchange.protocol.requests import REQUESTS
from xtitan_core.randomness import stream

ID = "0123456789abcdef0123456789abcdef"
CONTRACT = {"contract_type": "CALL", "currency": "USD", "underlying_symbol": "R_100"}
TERMS = {**CONTRACT, "amount": 10, "basis": "stake", "duration": 5, "duration_unit": "t"}
VALID: dict[str, dict[str, Any]] = {
    "ping": {"ping": 1},
    "time": {"time": 1},
    "active_symbols": {"active_symbols": "brief"},
    "contracts_for": {"contracts_for": "R_100"},
    "contracts_list": {"contracts_list": 1},
    "trading_times": {"trading_times": "today"},
    "ticks": {"ticks": "R_100", "subscribe": 1},
    "ticks_history": {"ticks_history": "R_100", "end": "latest"},
    "proposal": {"proposal": 1, **TERMS, "subscribe": 1},
    "buy": {"buy": "1", "price": 10, "parameters": TERMS},
    "sell": {"sell": 12, "price": 0},
    "cancel": {"cancel": 12},
    "contract_update": {"contract_update": 1, "contract_id": 12, "limit_order": {"take_profit": 5}},
    "contract_update_history": {"contract_update_history": 1, "contract_id": 12},
    "proposal_open_contract": {"proposal_open_contract": 1, "subscribe": 1},
    "portfolio": {"portfolio": 1},
    "profit_table": {"profit_table": 1},
    "statement": {"statement": 1},
    "transaction": {"transaction": 1, "subscribe": 1},
    "balance": {"balance": 1, "subscribe": 1},
    "forget": {"forget": ID},
    "forget_all": {"forget_all": "ticks"},
    "logout": {"logout": 1},
}
CALLS = sorted(VALID)

Draw = np.random.Generator
Frame = str | bytes


def _call(draw: Draw) -> str:
    return CALLS[int(draw.integers(len(CALLS)))]


def _text(draw: Draw, low: int, high: int, longest: int = 200) -> str:
    return "".join(map(chr, draw.integers(low, high, int(draw.integers(1, longest))).tolist()))


def cut_short(draw: Draw) -> Frame:
    """A request whose end is missing."""
    text = json.dumps(VALID[_call(draw)])
    return text[: int(draw.integers(len(text)))]


def noise(draw: Draw) -> Frame:
    """Text that is not JSON."""
    return "~" + _text(draw, 1, 0xD7FF)


def other_json(draw: Draw) -> Frame:
    """JSON that is not an object."""
    values = [None, True, 0, -1.5, "ping", [], [VALID[_call(draw)]], [[1]], ""]
    return json.dumps(values[int(draw.integers(len(values)))])


def no_number(draw: Draw) -> Frame:
    """Numbers that JSON does not have, or that no float or integer of the parser can hold."""
    words = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 400, "9" * 5_000, "01", "0x1", "1_0", ".5", "1."]
    word = words[int(draw.integers(len(words)))]
    return f'{{"{_call(draw)}":{word},"req_id":1}}'


def deep(draw: Draw) -> Frame:
    """Nested more deeply than the decoder allows."""
    depth = int(draw.integers(65, 3_000))
    opened, closed = ("[", "]") if draw.random() < 0.5 else ('{"a":', "}")
    return f'{{"ping":1,"passthrough":{{"a":{opened * depth}1{closed * depth}}}}}'


def named_twice(draw: Draw) -> Frame:
    """The same member twice, the last one wrong."""
    call = _call(draw)
    return json.dumps(VALID[call])[:-1] + f',"{call}":null}}'


def unknown_call(draw: Draw) -> Frame:
    """A call that does not exist."""
    return json.dumps({"x" + _text(draw, 97, 123, 30): 1, "req_id": int(draw.integers(1 << 62))})


def unfit_name(draw: Draw) -> Frame:
    """A member whose name the schemas do not allow."""
    return json.dumps({**VALID[_call(draw)], " " + _text(draw, 32, 0x2FF, 60): 1})


def not_printable(draw: Draw) -> Frame:
    """Control characters and a lone surrogate."""
    return json.dumps({"ticks": "R_100" + chr(int(draw.integers(0, 32))), "forget": "\ud800"})


def wrong_value(draw: Draw) -> Frame:
    """A member whose value has the wrong type."""
    call = _call(draw)
    names = [name for name in REQUESTS[call].every if name != "passthrough"]
    wrong: list[Any] = [None, True, False, [None], {"\u00a7": 1}, {}, -0.5, "\u00a7", 10**30]
    name, value = names[int(draw.integers(len(names)))], wrong[int(draw.integers(len(wrong)))]
    if REQUESTS[call].every[name].problem(value) is None:
        value = None
    return json.dumps({**VALID[call], name: value})


def member_missing(draw: Draw) -> Frame:
    """A call without one of its required members."""
    calls = [call for call in CALLS if len(REQUESTS[call].required) > 1]
    call = calls[int(draw.integers(len(calls)))]
    needed = [name for name in REQUESTS[call].required if name != call]
    dropped = needed[int(draw.integers(len(needed)))]
    return json.dumps({name: value for name, value in VALID[call].items() if name != dropped})


def member_too_many(draw: Draw) -> Frame:
    """A call with a member of the old API."""
    names = ["symbol", "product_type", "loginid_list", "landing_company", "date_start", "x" * 50]
    return json.dumps({**VALID[_call(draw)], names[int(draw.integers(len(names)))]: 1})


def long(draw: Draw) -> Frame:
    """A text longer than the schema allows."""
    return json.dumps({"ticks": "R" * int(draw.integers(31, 20_000))})


def binary(draw: Draw) -> Frame:
    """A valid request in a binary frame, or random bytes."""
    return json.dumps(VALID[_call(draw)]).encode() if draw.random() < 0.5 else draw.bytes(int(draw.integers(1, 300)))


KINDS: tuple[Callable[[Draw], Frame], ...] = (
    cut_short,
    noise,
    other_json,
    no_number,
    deep,
    named_twice,
    unknown_call,
    unfit_name,
    not_printable,
    wrong_value,
    member_missing,
    member_too_many,
    long,
    binary,
)
"""Each is answered with one error, and the connection stays open."""


def frames(seed: int, count: int) -> Iterator[Frame]:
    """Malformed frames, the kinds in turn.

    Args:
        seed: the same seed gives the same frames.
        count: how many.
    """
    draw = stream(seed, "malformed frames")
    for k in range(count):
        yield KINDS[k % len(KINDS)](draw)
