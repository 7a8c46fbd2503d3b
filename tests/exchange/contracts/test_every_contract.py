"""Every type, unit of duration and side of a barrier, from the quote to the money, against the shared settlement.

Each contract is quoted, bought at its quote and followed to its end on a simulated index; the venue's fixture holds
every frame against Deriv's schemas.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from paper_exchange.contracts.terms import Terms, parse_terms
from xtitan_core.contracts import UNIT_SECONDS, ContractType, DurationUnit, settle
from xtitan_core.symbols import symbol

START = 1_772_409_600 + 9
ACCOUNT = "DOT90000001"
NAME = "1HZ100V"

ONE_SIDED = [("HIGHER", s) for s in (1, -1)] + [("LOWER", s) for s in (1, -1)]
TOUCHES = [("ONETOUCH", s) for s in (1, -1)] + [("NOTOUCH", s) for s in (1, -1)]
PAIRS = ["EXPIRYMISS", "EXPIRYRANGE", "EXPIRYMISSE", "EXPIRYRANGEE", "RANGE", "UPORDOWN"]
PLAIN = ["CALL", "PUT", "CALLE", "PUTE"]
DIGITS = [("DIGITMATCH", d) for d in range(10)] + [("DIGITDIFF", d) for d in range(10)]
DIGITS += [("DIGITOVER", d) for d in range(9)] + [("DIGITUNDER", d) for d in range(1, 10)]
TIMES = [(120, "s"), (3, "m"), (1, "h")]


def barrier(side: float, *, absolute: bool, spot: float) -> str:
    return f"{spot + side:.2f}" if absolute else f"{side:+.2f}"


def request(kind: str, duration: int, unit: str, **more: Any) -> dict[str, Any]:
    return {
        "amount": 10, "basis": "stake", "contract_type": kind, "currency": "USD", "duration": duration,
        "duration_unit": unit, "underlying_symbol": NAME, **more,
    }  # fmt: skip


def cases() -> list[tuple[str, int, str, bool, tuple[float, ...], int | None]]:
    """(type, duration, unit, absolute, offsets, digit)."""
    table: list[tuple[str, int, str, bool, tuple[float, ...], int | None]] = []
    for kind in PLAIN:
        table += [(kind, n, u, False, (), None) for n, u in [(1, "t"), (10, "t"), (15, "s"), *TIMES, (1, "d")]]
    for kind, side in ONE_SIDED + TOUCHES:
        for absolute in (False, True):
            table += [(kind, 5, "t", absolute, (side * 0.3,), None), (kind, 10, "t", absolute, (side * 0.4,), None)]
            table += [(kind, n, u, absolute, (side * 2.0,), None) for n, u in TIMES]
            if kind in ("HIGHER", "LOWER"):
                table.append((kind, 15, "s", absolute, (side * 0.5,), None))
        table.append((kind, 1, "d", True, (side * 20.0,), None))
    for kind in PAIRS:
        table += [(kind, n, u, a, (2.0, -2.5), None) for n, u in TIMES[:2] for a in (False, True)]
        table += [(kind, 1, "h", a, (9.0, -9.0), None) for a in (False, True)]
        table.append((kind, 1, "d", True, (30.0, -30.0), None))
    table += [(kind, n, "t", False, (), digit) for kind, digit in DIGITS for n in (1, 10)]
    table += [(kind, n, "t", False, (), None) for kind in ("DIGITODD", "DIGITEVEN") for n in (1, 5, 10)]
    return table


BUDGET = 40
"""Contracts quoted and bought in one venue before the next one opens."""


@pytest.mark.parametrize("first", range(0, len(cases()), BUDGET))
def test_from_quote_to_money(venue: Any, first: int) -> None:
    market = venue(start=START)
    socket, books = market.connect(ACCOUNT), market.exchange.accounts[ACCOUNT]
    books.balance *= 100
    bought: dict[int, tuple[Terms, int]] = {}
    longest = START
    for kind, duration, unit, absolute, offsets, digit in cases()[first : first + BUDGET]:
        spot = socket.ask({"ticks": NAME})["tick"]["quote"]
        barriers = [barrier(offset, absolute=absolute, spot=spot) for offset in offsets]
        named = dict(zip(("barrier", "barrier2"), barriers, strict=False)) if digit is None else {"barrier": str(digit)}
        asked = request(kind, duration, unit, **named)
        quoted = socket.ask({"proposal": 1, **asked})
        assert "error" not in quoted, (asked, quoted)
        price = quoted["proposal"]
        receipt = socket.ask({"buy": price["id"], "price": price["ask_price"]})
        assert "error" not in receipt, (asked, receipt)
        receipt = receipt["buy"]
        now = market.exchange.epoch
        terms = parse_terms(asked, symbol(NAME), now, "USD", spot=spot)
        assert (receipt["payout"], receipt["longcode"]) == (price["payout"], price["longcode"])
        assert receipt["longcode"] == terms.longcode
        expected = price["date_expiry"] if unit == "d" else now + (duration * UNIT_SECONDS.get(DurationUnit(unit), 0))
        if unit != "t":
            assert price["date_expiry"] == expected == terms.end(now)
            longest = max(longest, expected)
        bought[receipt["contract_id"]] = (terms, now)
        socket.take()
        if unit != "d":
            market.advance_to(now + 1)
    market.advance_to(max(min(longest, START + 4_000), market.exchange.epoch + 12) + 2)
    compare(market, socket, bought)


def compare(market: Any, socket: Any, bought: dict[int, tuple[Terms, int]]) -> None:
    """What every contract paid is what the shared settlement says of the same ticks."""
    source = market.exchange.world.sources[NAME]
    epochs, quotes = source.between(START - 1, market.exchange.epoch)
    settled = 0
    for contract_id, (terms, start) in bought.items():
        spot = float(quotes[np.searchsorted(epochs, start, side="right") - 1])
        outcome = settle(terms.at(start, spot), start, epochs, quotes, 2)
        view = socket.ask({"proposal_open_contract": 1, "contract_id": contract_id})["proposal_open_contract"]
        if outcome is None:
            assert view["status"] == "open", (terms.longcode, view)
            continue
        settled += 1
        assert view["status"] == ("won" if outcome.won else "lost"), (terms.longcode, outcome)
        assert view["sell_price"] == (view["payout"] if outcome.won else "0.00")
        assert float(view["exit_spot"]) == outcome.exit
    assert settled >= 0.7 * len(bought)


def test_every_type_is_among_them() -> None:
    assert {kind for kind, *_ in cases()} == {str(kind) for kind in ContractType}
    assert len(cases()) > 200


@pytest.mark.parametrize(
    ("name", "duration", "unit", "kinds"),
    [
        ("JD25", 5, "t", ("CALL", "PUT", "DIGITEVEN")),
        ("JD100", 15, "s", ("CALL", "PUT")),
        ("frxEURUSD", 15, "m", ("CALL", "PUT")),
        ("frxXAUUSD", 5, "m", ("CALL", "PUT")),
        ("PLANTED_VOL_100", 5, "t", ("CALL", "HIGHER", "ONETOUCH", "DIGITODD")),
        ("PLANTED_DIGIT_100", 1, "t", ("DIGITEVEN", "CALLE")),
    ],
)
def test_other_symbols_from_quote_to_money(
    venue: Any, name: str, duration: int, unit: str, kinds: tuple[str, ...]
) -> None:
    market = venue(start=START, planted=True)
    socket = market.connect(ACCOUNT)
    for kind in kinds:
        asked = request(kind, duration, unit, underlying_symbol=name)
        if kind in ("HIGHER", "ONETOUCH"):
            asked["barrier"] = "+0.20"
        price = socket.ask({"proposal": 1, **asked})["proposal"]
        receipt = socket.ask({"buy": price["id"], "price": 10})["buy"]
        start = market.exchange.epoch
        market.advance_to(start + duration * UNIT_SECONDS.get(DurationUnit(unit), 2) + 10)
        epochs, quotes = market.exchange.world.sources[name].between(start - 20, market.exchange.epoch)
        spot = float(quotes[np.searchsorted(epochs, start, side="right") - 1])
        terms = parse_terms(asked, symbol(name), start, "USD", spot=spot)
        outcome = settle(terms.at(start, spot), start, epochs, quotes, symbol(name).decimals)
        assert outcome is not None
        view = socket.ask({"proposal_open_contract": 1, "contract_id": receipt["contract_id"]})
        assert view["proposal_open_contract"]["status"] == ("won" if outcome.won else "lost")


def test_a_contract_of_a_day_ends_with_the_trading_day(venue: Any) -> None:
    market = venue(start=START + 86_380)
    socket = market.connect(ACCOUNT)
    bought = {}
    for kind in ("CALL", "PUTE"):
        asked = {**request(kind, 1, "d"), "underlying_symbol": "R_100"}
        price = socket.ask({"proposal": 1, **asked})["proposal"]
        assert price["longcode"].endswith("entry spot at close on 2026-03-03.")
        # Bought after midnight, the same quote runs to the end of the day after.
        market.advance_to(market.exchange.epoch + 6)
        receipt = socket.ask({"buy": price["id"], "price": 10})["buy"]
        bought[receipt["contract_id"]] = receipt
    days = [row["longcode"][-11:-1] for row in bought.values()]
    assert days == ["2026-03-03", "2026-03-04"]
    rows = socket.ask({"portfolio": 1})["portfolio"]["contracts"]
    assert sorted(row["expiry_time"] for row in rows) == [START + 2 * 86_400 - 10, START + 3 * 86_400 - 10]
    market.advance_to(START + 2 * 86_400 - 8)
    assert len(socket.ask({"portfolio": 1})["portfolio"]["contracts"]) == 1
