"""What a cheat would try on a fair market, and what it gets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from xtitan_core.contracts import ContractType
from xtitan_core.prices import fair_probability
from xtitan_core.symbols import SYMBOLS

START = 1_772_409_600
DAY = 86_400
ACCOUNT = "DOT90000001"
R_100 = {"amount": 10, "basis": "stake", "contract_type": "CALL", "currency": "USD", "underlying_symbol": "R_100"}


def bought(socket: Any, **terms: Any) -> int:
    answer = socket.ask({"buy": "1", "price": 10, "parameters": {**R_100, **terms}})
    return int(answer["buy"]["contract_id"])


# A price by date_expiry that is streamed for more than a day can be held until little of it is left.


def held_until(market: Any, left: int, **terms: Any) -> tuple[Any, str]:
    """A socket with a streamed price, more than 24 hours old, ``left`` seconds before the contract's end."""
    exchange = market.exchange
    end = START + 2 * DAY - 1
    socket = market.connect(ACCOUNT)
    quote = socket.ask({"proposal": 1, "subscribe": 1, **R_100, "date_expiry": end, **terms})
    exchange.epoch = end - left  # the day between is of no interest
    return socket, quote["proposal"]["id"]


def test_a_held_price_cannot_be_bought_when_less_is_left_than_is_offered(venue: Any) -> None:
    # With two ticks left and one of them to be seen, untouched was the stake back and touched was the payout.
    market = venue()
    level = market.exchange.world.sources["R_100"].quote_at(START + 2 * DAY - 4)
    socket, proposal_id = held_until(market, 3, contract_type="ONETOUCH", barrier=f"{level + 0.1:.2f}")
    answer = socket.ask({"buy": proposal_id, "price": 10})
    assert answer["error"]["code"] == "TradingDurationNotAllowed"
    assert market.exchange.accounts[ACCOUNT].balance == 10_000


def test_a_held_price_ends_with_the_refusal_and_time_goes_on(venue: Any) -> None:
    market = venue()
    socket, _ = held_until(market, 20)
    market.advance_to(market.exchange.epoch + 30)
    *offers, last = socket.take("proposal")
    assert all("proposal" in frame for frame in offers)
    assert last["error"]["code"] == "TradingDurationNotAllowed"
    assert socket.ask({"time": 1})["time"] == START + 2 * DAY + 9


def test_a_held_price_pays_the_commission_of_what_is_left(venue: Any) -> None:
    market = venue(commission="recorded")
    exchange = market.exchange
    exchange.epoch = 1_790_640_000 - 1_790_640_000 % DAY  # 29 September 2026: 0.031 up to a day, 0.020 beyond
    start = exchange.epoch
    socket = market.connect(ACCOUNT)
    terms = {**R_100, "underlying_symbol": "1HZ100V", "date_expiry": start + 2 * DAY - 1}
    quote = socket.ask({"proposal": 1, "subscribe": 1, **terms})["proposal"]
    exchange.epoch = start + 2 * DAY - 61
    receipt = socket.ask({"buy": quote["id"], "price": 10})["buy"]
    assert (quote["payout"], receipt["payout"]) == (19.79, 18.84)


# Where a recording ends, nobody holds an option on its last ticks.


def left_at_the_end(venue: Any, recorded: Any, moves: float = 0.0, **terms: Any) -> tuple[Any, Decimal]:
    """A contract bought 20 ticks before the end of a recording that moves by ``moves`` a tick."""
    market = venue(recorded("R_100", {START + 2 * k: round(640.0 + moves * k, 2) for k in range(-5, 21)}, START))
    socket = market.connect(ACCOUNT)
    socket.ask({"proposal_open_contract": 1, "subscribe": 1})
    contract_id = bought(socket, **terms)
    market.advance_to(START + 1_000)
    assert market.exchange.finished
    account = market.exchange.accounts[ACCOUNT]
    contract = account.contracts[contract_id]
    assert contract.sold_for is not None
    assert account.balance == 9_990 + contract.sold_for
    return contract, contract.sold_for


@pytest.mark.parametrize("kind", ["ONETOUCH", "UPORDOWN"])
def test_a_touch_that_did_not_come_is_not_forgiven(venue: Any, recorded: Any, kind: str) -> None:
    lower = -1.5 if kind == "UPORDOWN" else None
    terms: dict[str, Any] = {"barrier2": "-1.50"} if lower else {}
    contract, got = left_at_the_end(
        venue, recorded, contract_type=kind, duration=2, duration_unit="m", barrier="+1.50", **terms
    )
    worth = fair_probability(
        ContractType(kind),
        sigma_tick=SYMBOLS["R_100"].tick_sigma,
        ticks=40,
        upper=641.5,
        lower=640 + lower if lower else None,
        spot=640.0,
        pip=0.01,
    )
    assert contract.status == "sold"
    assert 0 < got < min(Decimal(10), contract.price.payout * Decimal(worth))


def test_what_could_have_been_sold_gets_no_more_than_its_bid(venue: Any, recorded: Any) -> None:
    falling, got = left_at_the_end(venue, recorded, -0.05, duration=1, duration_unit="m")
    assert (falling.status, got < 1) == ("sold", True)
    rising, got = left_at_the_end(venue, recorded, 0.05, duration=1, duration_unit="m")
    assert (rising.status, got) == ("cancelled", Decimal("10.00"))


def test_nothing_is_sold_that_no_tick_can_settle_any_more(venue: Any, recorded: Any) -> None:
    market = venue(recorded("R_100", {START + 2 * k: 640.0 for k in range(-5, 6)}, START))
    market.advance_to(START + 1_000)
    late = market.connect(ACCOUNT)
    answer = late.ask({"buy": "1", "price": 10, "parameters": {**R_100, "duration": 5, "duration_unit": "t"}})
    assert answer["error"]["code"] == "MarketIsClosed"


def test_what_nothing_could_have_ended_before_is_refunded(venue: Any, recorded: Any) -> None:
    market = venue(recorded("R_100", {START + 2 * k: 640.0 - 0.05 * k for k in range(-5, 6)}, START))
    socket = market.connect(ACCOUNT)
    ids = [
        bought(socket, duration=15, duration_unit="s"),
        bought(socket, duration=10, duration_unit="t"),
        bought(socket, contract_type="NOTOUCH", barrier="+0.50", duration=10, duration_unit="t"),
    ]
    market.advance_to(START + 1_000)
    contracts = market.exchange.accounts[ACCOUNT].contracts
    assert [contracts[i].status for i in ids] == ["cancelled"] * 3
    assert market.exchange.accounts[ACCOUNT].balance == 10_000


# Where a recording has a gap, nobody trades on the quote before it.


@pytest.mark.parametrize(
    ("terms", "sold"),
    [
        ({"contract_type": "HIGHER", "barrier": "641.00", "duration": 15, "duration_unit": "s"}, False),
        ({"contract_type": "ONETOUCH", "barrier": "641.00", "duration": 5, "duration_unit": "t"}, False),
        ({"contract_type": "RANGE", "barrier": "+2", "barrier2": "-2", "duration": 2, "duration_unit": "m"}, False),
        ({"contract_type": "CALLE", "duration": 15, "duration_unit": "s"}, False),
        ({"contract_type": "CALL", "duration": 15, "duration_unit": "s"}, True),
        ({"contract_type": "CALLE", "duration": 5, "duration_unit": "t"}, True),
        ({"contract_type": "HIGHER", "barrier": "+0.10", "duration": 5, "duration_unit": "t"}, True),
    ],
)
def test_in_a_gap_nothing_is_sold_that_counts_on_the_missing_ticks(
    venue: Any, recorded: Any, terms: dict[str, Any], sold: bool
) -> None:
    market = venue(recorded("R_100", {START + 2 * k: 640.0 for k in (*range(-5, 6), *range(60, 200))}, START))
    socket = market.connect(ACCOUNT)
    request = {"proposal": 1, **R_100, **terms}
    market.advance_to(START + 11)
    proposal_id = socket.ask(request)["proposal"]["id"]
    market.advance_to(START + 12)
    for answer in (socket.ask({"buy": proposal_id, "price": 10}), socket.ask(request)):
        assert ("error" not in answer) == sold
        assert sold or answer["error"]["code"] == "OldMarketData"
    market.advance_to(START + 120)
    assert "proposal" in socket.ask(request)


def test_in_a_gap_nothing_is_bought_back(venue: Any, recorded: Any) -> None:
    market = venue(recorded("R_100", {START + 2 * k: 640.0 for k in (*range(-5, 6), *range(60, 200))}, START))
    socket = market.connect(ACCOUNT)
    contract_id = bought(socket, duration=5, duration_unit="m")
    market.advance_to(START + 12)
    assert socket.ask({"sell": contract_id, "price": 0})["error"]["code"] == "OldMarketData"
    state = socket.ask({"proposal_open_contract": 1, "contract_id": contract_id})["proposal_open_contract"]
    assert state["is_valid_to_sell"] == 0
    market.advance_to(START + 120)
    assert "sell" in socket.ask({"sell": contract_id, "price": 0})
