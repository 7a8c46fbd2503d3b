"""Books that are read late or shifted, odd settlements, and what others do to the account."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

START = 1_772_409_600
ACCOUNT = "DOT90000001"
PARAMETERS = {
    "amount": 10, "basis": "stake", "contract_type": "CALL", "currency": "USD", "duration": 5,
    "duration_unit": "t", "underlying_symbol": "R_100",
}  # fmt: skip


def buy(socket: Any) -> int:
    return int(socket.ask({"buy": "1", "price": 10, "parameters": PARAMETERS})["buy"]["contract_id"])


def statement(socket: Any, **more: Any) -> list[int]:
    """Transaction ids of a page."""
    answer = socket.ask({"statement": 1, **more})["statement"]
    return [row["transaction_id"] for row in answer["transactions"]]


def test_the_statement_lags(market: Any) -> None:
    venue = market()
    socket = venue.trader()
    buy(socket)
    venue.advance_to(START + 20)
    venue.fault("statement_lag:seconds=15,times=0")
    assert len(statement(socket)) == 1, "the purchase of 20 s ago, not the settlement of 8 s ago"
    venue.advance_to(START + 30)
    assert len(statement(socket)) == 2
    assert len(venue.events("booked", "settled")) == 2


def test_new_rows_come_in_between_two_pages(market: Any) -> None:
    venue = market("statement_shift:rows=2")
    socket = venue.trader()
    for _ in range(6):
        buy(socket)
    rows = [row.transaction_id for row in venue.exchange.accounts[ACCOUNT].newest_first()]
    assert statement(socket, limit=3) == rows[:3]
    assert statement(socket, limit=3, offset=3) == rows[1:4]
    assert statement(socket, limit=3, offset=3) == rows[3:]


def test_rows_go_missing_between_two_pages(market: Any) -> None:
    venue = market("statement_shift:rows=-2")
    socket = venue.trader()
    for _ in range(6):
        buy(socket)
    rows = [row.transaction_id for row in venue.exchange.accounts[ACCOUNT].newest_first()]
    assert statement(socket, limit=3) == rows[:3]
    assert statement(socket, limit=3, offset=3) == rows[5:]


def test_a_window_that_ended_before_does_not_shift(market: Any) -> None:
    venue = market("statement_shift:rows=2")
    socket = venue.trader()
    for _ in range(6):
        buy(socket)
    rows = [row.transaction_id for row in venue.exchange.accounts[ACCOUNT].newest_first()]
    venue.advance_to(START + 4)
    assert statement(socket, limit=3, offset=3, date_to=START + 2) == rows[3:]
    assert venue.fired == ["statement_shift"]


def test_portfolio_and_profit_table_lag(market: Any) -> None:
    venue = market()
    socket = venue.trader()
    contract_id = buy(socket)
    venue.fault("portfolio_lag:seconds=10,times=0")

    def shown() -> tuple[list[int], list[int]]:
        opened = socket.ask({"portfolio": 1})["portfolio"]["contracts"]
        closed = socket.ask({"profit_table": 1})["profit_table"]["transactions"]
        return [c["contract_id"] for c in opened], [c["contract_id"] for c in closed]

    assert shown() == ([], [])
    venue.advance_to(START + 10)
    assert shown() == ([contract_id], [])
    venue.advance_to(START + 20)
    assert venue.bought[0].sold_for is not None
    assert shown() == ([contract_id], [])
    venue.advance_to(START + 30)
    assert shown() == ([], [contract_id])


def test_a_voided_contract_is_refunded(market: Any) -> None:
    venue = market("voided")
    socket = venue.trader()
    buy(socket)
    venue.advance(10)
    (contract,) = venue.bought
    assert (contract.status, contract.sold_for) == ("cancelled", Decimal(10))
    assert venue.exchange.accounts[ACCOUNT].balance == Decimal(10_000)
    (event,) = venue.events("settled")
    assert (event["status"], event["amount"]) == ("cancelled", "10.00")
    view = socket.ask({"proposal_open_contract": 1, "contract_id": contract.contract_id})["proposal_open_contract"]
    assert view["status"] == "cancelled"


def test_a_payout_that_is_not_what_was_quoted(market: Any) -> None:
    venue = market("payout_differs:factor=0.5")
    socket = venue.trader()
    while not venue.fired:
        buy(socket)
        venue.advance(10)
    sold = [f["transaction"] for f in socket.take("transaction") if f["transaction"]["action"] == "sell"]
    quoted = venue.bought[-1].price.payout
    assert Decimal(str(sold[-1]["amount"])) == (quoted / 2).quantize(Decimal("0.01"))
    assert all(row["amount"] == 0 for row in sold[:-1]), "lost contracts pay nothing with or without the fault"


def test_somebody_else_buys(market: Any) -> None:
    venue = market("foreign_buy:at=1772409610,stake=3,symbol=R_50")
    socket = venue.trader()
    venue.advance_to(START + 10)
    (row,) = socket.take("transaction")
    assert row["transaction"]["amount"] == -3
    (contract,) = venue.bought
    assert contract.terms.symbol.name == "R_50"
    (event,) = venue.events("fault")
    assert (event["contract_id"], event["epoch"]) == (contract.contract_id, START + 10)
    assert not contract.answered
    venue.advance_to(START + 40)
    assert contract.sold_for is not None


def test_somebody_else_cannot_buy_without_money(market: Any) -> None:
    venue = market("withdrawal:amount=1000000", "foreign_buy")
    socket = venue.trader()
    venue.advance()
    assert venue.bought == []
    assert venue.events("fault")[-1]["contract_id"] is None
    assert socket.ask({"balance": 1})["balance"]["balance"] == 0


@pytest.mark.parametrize(
    ("fault", "action", "amount"),
    [("deposit:amount=250.5", "deposit", 250.5), ("withdrawal:amount=99.99", "withdrawal", -99.99)],
)
def test_money_moves(market: Any, fault: str, action: str, amount: float) -> None:
    venue = market()
    socket = venue.trader()
    venue.fault(fault)
    (frame,) = socket.take("transaction")
    assert (frame["transaction"]["action"], frame["transaction"]["amount"]) == (action, amount)
    (event,) = venue.events("cash")
    assert event["balance"] == f"{10_000 + amount:.2f}"


def test_the_account_is_reset(market: Any) -> None:
    venue = market()
    socket = venue.trader()
    buy(socket)
    socket.take()
    venue.fault("account_reset")
    assert [f["transaction"]["amount"] for f in socket.take("transaction")] == [10]
    assert venue.exchange.accounts[ACCOUNT].balance == Decimal(10_000)
    assert venue.fired == ["account_reset"]


def test_the_other_account_is_struck_when_it_is_named(market: Any) -> None:
    venue = market("deposit:amount=5,account=DOT90000002")
    venue.connect(ACCOUNT)
    venue.advance()
    assert venue.exchange.accounts[ACCOUNT].balance == Decimal(10_000)
    assert venue.exchange.accounts["DOT90000002"].balance == Decimal(10_005)


def test_what_others_do_can_hang_on_a_call(market: Any) -> None:
    venue = market("foreign_buy:call=buy,nth=2")
    socket = venue.trader()
    buy(socket)
    assert len(venue.bought) == 1
    socket.send({"buy": "1", "price": 10, "parameters": PARAMETERS})
    (receipt,) = socket.take("buy")
    assert len(venue.bought) == 3
    assert receipt["buy"]["contract_id"] == venue.bought[-1].contract_id
    assert venue.events("fault")[0]["contract_id"] == venue.bought[1].contract_id
