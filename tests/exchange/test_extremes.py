"""Requests of the right form with values nobody means: each is answered, none brings the exchange down."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from drills.malformed_frames import ID, VALID
from paper_exchange.protocol.requests import REQUESTS
from paper_exchange.venue.budgets import Budgets

ACCOUNT = "DOT90000001"
EXTREMES: list[Any] = [
    0, 1, -1, 2**63 - 1, -(2**63), 99_999_999, 9_999_999_999, 0.0, -0.0, 5e-324, 1e-9, 0.005, 0.1 + 0.2, 1e15, 1e22, 1e308,
    -1e308, "", "0", "00000000000000000000", "99999999999999999999", "+99999999999999999999", "-0", "+0.", "-1.0000000000001",
    "0000-01-01", "9999-12-31", "2026-02-31", "1", "9999999999", "today", "2026-3-2", "0000-0-0", "__", "R_100", "frxEURUSD",
    "BOOM500", "stpRNG", "USD", "usd", "EUR", ID, "d", "m", "s", "h", "t", "HIGHER", "RANGE", "DIGITOVER", "MULTUP", "ACCU",
    "payout", "stake", "candles", "latest", [], ["R_100", "R_100"], ["R_100", "__"], ["CALL"], ["ticks", "ticks"], {},
    {"stop_loss": 1e308}, {"take_profit": None},
]  # fmt: skip


@pytest.mark.parametrize("call", list(VALID))
def test_extreme_values_are_answered(venue: Any, call: str) -> None:
    market = venue()
    market.exchange.budgets = Budgets(factor=1_000_000)
    socket = market.connect(ACCOUNT)
    fields = REQUESTS[call].every
    for name, value in itertools.product(fields, EXTREMES):
        if fields[name].problem(value) is not None:
            continue
        socket.send({**VALID[call], name: value})
        assert socket.frames, (name, value)
        assert all("error" in f or f["msg_type"] for f in socket.take())
        if socket.closed:
            socket = market.connect(ACCOUNT)
        socket.send(
            {"forget_all": ["ticks", "candles", "proposal", "proposal_open_contract", "transaction", "balance"]}
        )
        socket.take()


PAIRS = (
    "amount",
    "duration",
    "duration_unit",
    "barrier",
    "barrier2",
    "contract_type",
    "underlying_symbol",
    "date_expiry",
)


@pytest.mark.parametrize("names", list(itertools.combinations(PAIRS, 2)), ids="-".join)
def test_extreme_pairs_of_contract_terms_are_answered(venue: Any, names: tuple[str, str]) -> None:
    market = venue()
    market.exchange.budgets = Budgets(factor=1_000_000)
    socket = market.connect(ACCOUNT)
    fields = REQUESTS["proposal"].every
    allowed = [[value for value in EXTREMES if fields[name].problem(value) is None] for name in names]
    base = {k: v for k, v in VALID["proposal"].items() if k != "subscribe"}
    for one, other in itertools.product(*allowed):
        answer = socket.ask({**base, names[0]: one, names[1]: other})
        assert ("error" in answer) != ("proposal" in answer), json.dumps(answer)
