"""statement, balance, transaction, portfolio, profit_table, proposal_open_contract and the session calls."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from paper_exchange.trading.bookings import reset_cash
from support.terms import QUOTE

START = 1_772_409_600
ACCOUNT = "DOT90000001"


def bought(socket: Any, **change: Any) -> dict[str, Any]:
    quote = socket.ask({**QUOTE, **change})["proposal"]
    return dict(socket.ask({"buy": quote["id"], "price": quote["ask_price"]})["buy"])


@pytest.fixture
def traded(venue: Any) -> tuple[Any, Any]:
    """A venue and a socket after twelve contracts, the last of them open."""
    market = venue()
    socket = market.connect(ACCOUNT, app_id=5)
    for k in range(11):
        bought(socket, contract_type=("CALL", "PUT")[k % 2], amount=10 + k / 100)
        market.advance(7)
    bought(socket)
    return market, socket


def test_statement_pages_and_filters(traded: tuple[Any, Any]) -> None:
    _, socket = traded
    every = socket.ask({"statement": 1})["statement"]
    assert every["count"] == len(every["transactions"]) == 23
    page = socket.ask({"statement": 1, "limit": 4, "offset": 3})["statement"]["transactions"]
    assert page == every["transactions"][3:7]
    assert socket.ask({"statement": 1, "limit": 0})["statement"]["transactions"] == []
    for action, count in (("buy", 12), ("sell", 11), ("deposit", 0)):
        rows = socket.ask({"statement": 1, "action_type": action})["statement"]["transactions"]
        assert len(rows) == count
        assert {r["action_type"] for r in rows} <= {action}
    times = [r["transaction_time"] for r in every["transactions"]]
    some = socket.ask({"statement": 1, "date_from": times[9], "date_to": times[3]})["statement"]["transactions"]
    assert some == [r for r in every["transactions"] if times[9] <= r["transaction_time"] < times[3]]


def test_the_balance_is_the_opening_balance_plus_every_row(traded: tuple[Any, Any]) -> None:
    _, socket = traded
    rows = socket.ask({"statement": 1})["statement"]["transactions"][::-1]
    balance = Decimal(10_000)
    for row in rows:
        balance += Decimal(str(row["amount"]))
        assert Decimal(str(row["balance_after"])) == balance
    assert Decimal(str(socket.ask({"balance": 1})["balance"]["balance"])) == balance


def test_portfolio_holds_the_open_contracts_and_profit_table_the_closed(traded: tuple[Any, Any]) -> None:
    market, socket = traded
    (row,) = socket.ask({"portfolio": 1})["portfolio"]["contracts"]
    assert (row["contract_type"], row["buy_price"], row["payout"]) == ("CALL", 10, 19.54)
    assert socket.ask({"portfolio": 1, "contract_type": ["PUT"]})["portfolio"]["contracts"] == []
    closed = socket.ask({"profit_table": 1})["profit_table"]
    assert closed["count"] == 11
    assert row["contract_id"] not in [r["contract_id"] for r in closed["transactions"]]
    market.advance(7)
    assert socket.ask({"portfolio": 1})["portfolio"]["contracts"] == []
    assert socket.ask({"profit_table": 1})["profit_table"]["transactions"][0]["contract_id"] == row["contract_id"]


def test_profit_table_sorts_pages_and_takes_dates(traded: tuple[Any, Any]) -> None:
    _, socket = traded

    def table(**request: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = socket.ask({"profit_table": 1, **request})["profit_table"]["transactions"]
        return rows

    newest = table()
    assert table(sort="ASC") == newest[::-1]
    assert table(limit=2, offset=1) == newest[1:3]
    assert len(table(contract_type=["PUT"])) == 5
    assert table(date_from="2026-03-02", date_to="2026-03-02") == newest
    assert table(date_from="2026-3-2") == newest
    assert table(date_from="2026-03-03") == []
    assert table(date_to="2026-03-01") == []
    third = newest[2]["purchase_time"]
    assert table(date_from=str(third)) == newest[:3]
    assert table(date_to=str(third)) == newest[3:]
    assert table(date_from=str(third), limit=1, offset=2) == [newest[2]]
    assert table(limit=0) == []
    assert table(offset=99) == []
    assert socket.ask({"profit_table": 1, "date_from": "2026-02-31"})["error"]["code"] == "InputValidationFailed"


def test_rows_say_what_they_were_when_described(traded: tuple[Any, Any]) -> None:
    _, socket = traded
    plain = socket.ask({"profit_table": 1})["profit_table"]["transactions"][0]
    told = socket.ask({"profit_table": 1, "description": 1})["profit_table"]["transactions"][0]
    extra = {k: told[k] for k in set(told) - set(plain)}
    assert extra == {
        "contract_type": "CALL",
        "duration_type": "ticks",
        "longcode": "Win payout if Volatility 100 Index after 5 ticks is strictly higher than entry spot.",
        "shortcode": extra["shortcode"],
        "underlying_symbol": "R_100",
    }
    assert extra["shortcode"].startswith("CALL_R_100_")
    for described in (0, 1):
        row = socket.ask({"statement": 1, "limit": 1, "description": described})["statement"]["transactions"][0]
        assert ({"longcode", "shortcode"} <= set(row)) == bool(described)


def test_dates_of_the_profit_table_can_be_those_of_the_sale(venue: Any) -> None:
    order = []
    for answer in ("purchase", "sale"):
        market = venue(assume={"profit_table_by": answer})
        socket = market.connect(ACCOUNT)
        long = bought(socket, duration=60, duration_unit="s")["contract_id"]
        market.advance_to(START + 2)
        short = bought(socket)["contract_id"]
        market.advance_to(START + 70)
        rows = socket.ask({"profit_table": 1, "sort": "ASC"})["profit_table"]["transactions"]
        late = socket.ask({"profit_table": 1, "date_from": str(START + 62)})["profit_table"]["count"]
        order.append(([row["contract_id"] for row in rows] == [long, short], late))
    assert order == [(True, 0), (False, 1)]


def test_balance_stream(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    plain = socket.ask({"balance": 1, "subscribe": 0, "req_id": 1})
    assert plain["balance"] == {"balance": 10_000, "currency": "USD", "loginid": ACCOUNT}
    stream = socket.ask({"balance": 1, "subscribe": 1, "req_id": 2})
    assert stream["balance"]["id"] == stream["subscription"]["id"]
    bought(socket)
    (update,) = socket.take("balance")
    assert (update["balance"]["balance"], update["req_id"]) == (9_990, 2)
    assert socket.ask({"balance": 1, "subscribe": 1})["error"]["code"] == "AlreadySubscribed"


def test_transaction_stream_begins_with_its_id(venue: Any) -> None:
    socket = venue().connect(ACCOUNT)
    first = socket.ask({"transaction": 1, "subscribe": 1, "req_id": 3})
    assert first == {
        "echo_req": {"transaction": 1, "subscribe": 1, "req_id": 3},
        "msg_type": "transaction",
        "req_id": 3,
        "subscription": {"id": first["subscription"]["id"]},
        "transaction": {"id": first["subscription"]["id"]},
    }


def test_open_contracts_without_an_id_follow_later_purchases(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    first = socket.ask({"proposal_open_contract": 1, "subscribe": 1})
    assert first["proposal_open_contract"] == {}
    ids = [bought(socket)["contract_id"] for _ in range(2)]
    market.advance(6)
    views = [f["proposal_open_contract"] for f in socket.take("proposal_open_contract")]
    for contract_id in ids:
        mine = [v["is_sold"] for v in views if v["contract_id"] == contract_id]
        assert mine == [0] * 6 + [1]
    assert socket.ask({"forget_all": "proposal_open_contract"})["forget_all"] == [first["subscription"]["id"]]


def test_open_contracts_are_all_shown_at_once(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    ids = {bought(socket)["contract_id"] for _ in range(3)}
    socket.send({"proposal_open_contract": 1, "req_id": 8})
    frames = socket.take()
    assert {f["proposal_open_contract"]["contract_id"] for f in frames} == ids
    assert {f["req_id"] for f in frames} == {8}


def test_one_contract_open_settled_or_unknown(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    contract_id = bought(socket)["contract_id"]
    request = {"proposal_open_contract": 1, "contract_id": contract_id, "subscribe": 1}
    assert socket.ask(request)["proposal_open_contract"]["status"] == "open"
    assert socket.ask(request)["error"]["code"] == "AlreadySubscribed"
    market.advance(10)
    socket.take()
    late = socket.ask(request)
    assert late["proposal_open_contract"]["status"] in ("won", "lost")
    assert "subscription" not in late
    other = market.connect("DOT90000002")
    assert other.ask(request)["error"]["code"] == "ContractNotFound"


def test_forget_all_of_several_kinds(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    tick = socket.ask({"ticks": "R_100", "subscribe": 1})["subscription"]["id"]
    cash = socket.ask({"transaction": 1, "subscribe": 1})["subscription"]["id"]
    balance = socket.ask({"balance": 1, "subscribe": 1})["subscription"]["id"]
    assert socket.ask({"forget_all": ["ticks", "transaction", "candles"]})["forget_all"] == [tick, cash]
    assert socket.ask({"forget": balance})["forget"] == 1
    assert socket.ask({"forget": balance})["forget"] == 0
    bought(socket)
    market.advance(3)
    assert socket.take() == []


def test_time_is_venue_time(venue: Any) -> None:
    market = venue()
    socket = market.connect()
    market.advance_to(START + 7)
    assert socket.ask({"time": 1})["time"] == START + 7


def test_logout_closes_normally(venue: Any) -> None:
    socket = venue().connect(ACCOUNT)
    assert socket.ask({"logout": 1})["logout"] == 1
    assert socket.closed is not None
    assert socket.closed.code == 1000


def test_a_balance_reset_is_a_deposit_or_a_withdrawal(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    socket.ask({"transaction": 1, "subscribe": 1})
    account = market.exchange.accounts[ACCOUNT]
    bought(socket)
    socket.take()
    for goal in (10_000, 9_000, 9_000):
        reset_cash(market.exchange, account, Decimal(goal))
    market.deliver()
    rows = [f["transaction"] for f in socket.take("transaction")]
    assert [(r["action"], r["amount"], r["balance"]) for r in rows] == [
        ("deposit", 10, 10_000),
        ("withdrawal", -1_000, 9_000),
    ]
    newest = socket.ask({"statement": 1, "limit": 1})["statement"]["transactions"][0]
    assert (newest["action_type"], newest["contract_id"]) == ("withdrawal", None)
