"""Open questions about Deriv: for each, what a client sees under every answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import paper_exchange
from paper_exchange.cli import main
from paper_exchange.errors import SetupError
from paper_exchange.exchange import Exchange
from paper_exchange.fidelity.assumptions import assumed, assumptions, parse_assumptions
from paper_exchange.fidelity.rules import RULES, Known
from paper_exchange.net.idle import IdleRule, idle_rule
from paper_exchange.net.virtual import VirtualSocket, VirtualVenue
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.state import Settings
from support.worlds import shared_world

FIRST = "DOT90000001"
DAY = 86_400
SATURDAY = 1_772_877_600
TERMS = {"proposal": 1, "amount": 10, "basis": "stake", "currency": "USD", "underlying_symbol": "R_100"}


def price(socket: VirtualSocket, **terms: Any) -> dict[str, Any]:
    """The ``proposal`` member of an answer."""
    return dict(socket.ask({**TERMS, **terms})["proposal"])


def bought(socket: VirtualSocket, **terms: Any) -> dict[str, Any]:
    """The ``buy`` member of a purchase at today's price."""
    return dict(socket.ask({"buy": price(socket, **terms)["id"], "price": 10})["buy"])


def code(answer: dict[str, Any]) -> str | None:
    """Why an answer refuses, None when it grants."""
    return answer.get("error", {}).get("code")


def state(socket: VirtualSocket, contract_id: int) -> dict[str, Any]:
    """A contract as it stands."""
    asked = {"proposal_open_contract": 1, "contract_id": contract_id}
    return dict(socket.ask(asked)["proposal_open_contract"])


TICKS: dict[str, Any] = {"contract_type": "CALL", "duration": 5, "duration_unit": "t"}
MINUTES: dict[str, Any] = {"contract_type": "CALL", "duration": 5, "duration_unit": "m"}


@pytest.mark.parametrize(("answer", "after", "refusal"), [
    ("60", 60, None), ("60", 62, "InvalidContractProposal"),
    ("10", 10, None), ("10", 12, "InvalidContractProposal"),
])  # fmt: skip
def test_proposal_life(venue: Any, answer: str, after: int, refusal: str | None) -> None:
    opened = venue(assume={"proposal_life": answer})
    socket = opened.connect(FIRST)
    asked = price(socket, **TICKS)
    opened.advance_to(opened.exchange.epoch + after)
    assert code(socket.ask({"buy": asked["id"], "price": 10})) == refusal


@pytest.mark.parametrize("answer", ["ends", "stays"])
def test_proposal_stream_after_buy(venue: Any, answer: str) -> None:
    opened = venue(assume={"proposal_stream_after_buy": answer})
    socket = opened.connect(FIRST)
    asked = price(socket, contract_type="HIGHER", duration=5, duration_unit="m", barrier="+0.10", subscribe=1)
    assert code(socket.ask({"buy": asked["id"], "price": 10})) is None
    assert code(socket.ask({"buy": asked["id"], "price": 10})) == "InvalidContractProposal", "never twice"
    opened.advance()
    frames = socket.take("proposal")
    assert len(frames) == (1 if answer == "stays" else 0)
    again = socket.ask({"buy": asked["id"], "price": 10})
    assert code(again) == (None if answer == "stays" else "InvalidContractProposal")


@pytest.mark.parametrize(("answer", "refusal"), [("half", None), ("none", "PriceMoved")])
def test_price_tolerance(venue: Any, recorded: Callable[..., Any], answer: str, refusal: str | None) -> None:
    begin = 1_772_409_600
    ticks = {begin + k: 640.0 for k in range(-20, 10, 2)} | {begin + 10: 640.10, begin + 12: 640.10}
    opened = venue(recorded("R_100", ticks, begin), assume={"price_tolerance": answer})
    socket = opened.connect(FIRST)
    asked = price(socket, contract_type="HIGHER", duration=12, duration_unit="h", barrier="650.00")
    opened.advance_to(begin + 10)
    reply = socket.ask({"buy": asked["id"], "price": 10})
    assert code(reply) == refusal
    if refusal is None:
        assert reply["buy"]["payout"] < asked["payout"], "at the current price, which is a little worse"


@pytest.mark.parametrize(("answer", "refusal"), [("remaining", None), ("never", "ResaleNotOffered")])
def test_resale(venue: Any, answer: str, refusal: str | None) -> None:
    opened = venue(assume={"resale": answer})
    socket = opened.connect(FIRST)
    contract = bought(socket, **MINUTES)["contract_id"]
    opened.advance(10)
    assert state(socket, contract)["is_valid_to_sell"] == (refusal is None)
    assert code(socket.ask({"sell": contract, "price": 0})) == refusal


@pytest.mark.parametrize("answer", ["trading_day", "24h"])
def test_daily_expiry(venue: Any, answer: str) -> None:
    opened = venue(assume={"daily_expiry": answer})
    socket = opened.connect(FIRST)
    opened.advance_to(opened.exchange.epoch + 600)
    now = opened.exchange.epoch
    asked = price(socket, contract_type="CALL", duration=1, duration_unit="d")
    wanted = now + DAY if answer == "24h" else now // DAY * DAY + 2 * DAY - 1
    assert asked["date_expiry"] == wanted


def test_touch_monitoring(venue: Any) -> None:
    touch = {"contract_type": "ONETOUCH", "duration": 2, "duration_unit": "m", "barrier": "+1.50"}
    payouts = {
        answer: price(venue(assume={"touch_monitoring": answer}).connect(FIRST), **touch)["payout"]
        for answer in ("discrete", "continuous")
    }
    assert payouts["continuous"] < 0.99 * payouts["discrete"]


@pytest.mark.parametrize("answer", ["ContractAlreadySold", "NoOpenPosition"])
def test_sell_after_end(venue: Any, answer: str) -> None:
    opened = venue(assume={"sell_after_end": answer})
    socket = opened.connect(FIRST)
    contract = bought(socket, **TICKS)["contract_id"]
    opened.advance(10)
    assert code(socket.ask({"sell": contract, "price": 0})) == answer


@pytest.mark.parametrize(("answer", "shown"), [("shortcode", "CALL"), ("own", "HIGHER")])
def test_higher_lower_shown(venue: Any, answer: str, shown: str) -> None:
    opened = venue(assume={"higher_lower_shown": answer})
    socket = opened.connect(FIRST)
    row = bought(socket, contract_type="HIGHER", duration=5, duration_unit="t", barrier="+0.10")
    assert row["shortcode"].startswith("CALL_R_100")
    assert state(socket, row["contract_id"])["contract_type"] == shown
    assert socket.ask({"portfolio": 1})["portfolio"]["contracts"][0]["contract_type"] == shown


@pytest.mark.parametrize(("answer", "rows"), [("purchase", 0), ("sale", 1)])
def test_profit_table_by(venue: Any, answer: str, rows: int) -> None:
    opened = venue(assume={"profit_table_by": answer})
    socket = opened.connect(FIRST)
    start = bought(socket, **TICKS)["start_time"]
    opened.advance(10)
    table = socket.ask({"profit_table": 1, "date_from": str(start + 4)})["profit_table"]
    assert table["count"] == rows


@pytest.mark.parametrize(("answer", "after", "rows"), [("0", 0, 1), ("30", 28, 0), ("30", 32, 1)])
def test_statement_delay(venue: Any, answer: str, after: int, rows: int) -> None:
    opened = venue(assume={"statement_delay": answer})
    socket = opened.connect(FIRST)
    bought(socket, **MINUTES)
    opened.advance_to(opened.exchange.epoch + after)
    assert socket.ask({"statement": 1})["statement"]["count"] == rows


@pytest.mark.parametrize(("answer", "code"), [("refused", "MarketIsClosed"), ("waits", None)])
def test_closed_stream(venue: Any, answer: str, code: str | None) -> None:
    opened = venue(assume={"closed_stream": answer}, start=SATURDAY)
    socket = opened.connect()
    for request in (
        {"ticks": "frxEURUSD", "subscribe": 1},
        {"ticks_history": "frxGBPUSD", "end": "latest", "count": 1, "subscribe": 1},
    ):
        assert socket.ask(request).get("error", {}).get("code") == code
    assert "error" not in socket.ask({"ticks": "frxXAUUSD"})


@pytest.mark.parametrize(("answer", "shown"), [("number", 90_000_001), ("string", FIRST)])
def test_poc_account_id(answer: str, shown: int | str) -> None:
    # Not the fixture's venue: that holds every frame against the schema, which knows the number only.
    world = shared_world()
    exchange = Exchange(world, [Account(FIRST, 0.012)], Settings(assume={"poc_account_id": answer}))
    socket = VirtualVenue(exchange).connect(FIRST)
    assert state(socket, bought(socket, **TICKS)["contract_id"])["account_id"] == shown


@pytest.mark.parametrize(("answer", "first"), [("plain", 1), ("extra", 0)])
def test_tick_count_leading(venue: Any, answer: str, first: int) -> None:
    opened = venue(assume={"tick_count_leading": answer})
    socket = opened.connect(FIRST)
    row = bought(socket, **{**TICKS, "underlying_symbol": "1HZ100V"})
    opened.advance(3)
    stream = state(socket, row["contract_id"])["tick_stream"]
    assert stream[0]["epoch"] == row["start_time"] + first


def test_idle_close(venue: Any) -> None:
    # What the shell does with the rule is held by the tests of idle sockets.
    assert idle_rule(venue().exchange) == IdleRule(120.0, 1000)
    assert idle_rule(venue(assume={"idle_close": "never"}).exchange).seconds is None


@pytest.mark.parametrize("close", [1000, 1001, 1006, 1011])
def test_idle_close_code(venue: Any, close: int) -> None:
    assert idle_rule(venue(assume={"idle_close_code": str(close)}).exchange) == IdleRule(120.0, close)


@pytest.mark.parametrize(("answer", "refusal"), [("user", "RateLimit"), ("connection", None)])
def test_budgets_per(venue: Any, answer: str, refusal: str | None) -> None:
    opened = venue(assume={"budgets_per": answer})
    one, other = opened.connect(FIRST), opened.connect(FIRST)
    for _ in range(30):
        assert code(one.ask({"portfolio": 1})) is None
    assert code(one.ask({"portfolio": 1})) == "RateLimit"
    assert code(other.ask({"portfolio": 1})) == refusal


# ---- the table


@pytest.mark.parametrize("rule", assumptions(), ids=lambda rule: rule.key)
def test_every_assumption_has_several_answers_that_are_built_in_and_tested(rule: Any) -> None:
    assert len(rule.choices) >= 2
    assert all(rule.choices.values())
    folder = Path(paper_exchange.__file__).parent
    source = "".join(path.read_text() for path in folder.rglob("*.py"))
    assert f'assumes("{rule.key}")' in source, "no code asks for it"
    assert f"def test_{rule.key}(" in Path(__file__).read_text(), "no test shows what it changes"


def test_the_code_asks_for_nothing_that_is_not_in_the_table() -> None:
    folder = Path(paper_exchange.__file__).parent
    asked = {key for path in folder.rglob("*.py") for key in re.findall(r'assumes\("(\w+)"\)', path.read_text())}
    assert asked == {rule.key for rule in assumptions()}


def test_rules_are_told_apart_by_their_keys() -> None:
    assert len({rule.key for rule in RULES}) == len(RULES)
    assert all(rule.does and rule.source for rule in RULES)
    assert all(bool(rule.choices) == (rule.known is Known.ASSUMPTION) for rule in RULES)


def test_the_first_choice_is_in_force_until_another_is_chosen() -> None:
    assert assumed({}) == {rule.key: next(iter(rule.choices)) for rule in assumptions()}
    assert assumed({"resale": "never"}) == {**assumed({}), "resale": "never"}
    assert parse_assumptions(["resale=never", "proposal_life=10"]) == {"resale": "never", "proposal_life": "10"}


@pytest.mark.parametrize(("item", "message"), [
    ("resale", "write it as KEY=CHOICE"),
    ("resale=sometimes", "choose remaining or never"),
    ("weather=fair", "is no assumption; choose one of"),
])  # fmt: skip
def test_what_is_no_answer_is_refused_in_one_line(item: str, message: str, capsys: Any) -> None:
    with pytest.raises(SetupError, match=re.escape(message)):
        assumed(parse_assumptions([item]))
    assert main(["serve", "--port", "0", "--assume", item]) == 1
    assert message in capsys.readouterr().err
