"""sell: what can be sold back, when, for how much, and what is said otherwise."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from paper_exchange.contracts.resale import REFUSALS

START = 1_772_409_600
ACCOUNT, OTHER = "DOT90000001", "DOT90000002"
MINUTE = {
    "amount": 10,
    "basis": "stake",
    "contract_type": "CALL",
    "currency": "USD",
    "duration": 1,
    "duration_unit": "m",
    "underlying_symbol": "R_100",
}


def bought(socket: Any, **change: Any) -> dict[str, Any]:
    answer = socket.ask({"buy": "1", "price": 100, "parameters": {**MINUTE, **change}})
    return dict(answer["buy"])


def code_of(socket: Any, contract_id: int, price: float = 0) -> str:
    answer = socket.ask({"sell": contract_id, "price": price})
    return str(answer["error"]["code"]) if "error" in answer else "sold"


def state(socket: Any, contract_id: int) -> dict[str, Any]:
    return dict(socket.ask({"proposal_open_contract": 1, "contract_id": contract_id})["proposal_open_contract"])


def test_a_sale_pays_the_bid_and_ends_the_contract(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    stream = socket.ask({"transaction": 1, "subscribe": 1})["subscription"]["id"]
    receipt = bought(socket)
    contract_id = receipt["contract_id"]
    socket.ask({"proposal_open_contract": 1, "contract_id": contract_id, "subscribe": 1})
    market.advance_to(START + 20)
    running = socket.take("proposal_open_contract")[-1]["proposal_open_contract"]
    assert (running["is_valid_to_sell"], running["status"]) == (1, "open")
    assert "validation_error_code" not in running
    socket.take()
    sale = socket.ask({"sell": contract_id, "price": float(running["bid_price"]), "req_id": 4})
    cash, last = socket.take()
    sold_for = Decimal(running["bid_price"])
    assert sale["sell"] == {
        "balance_after": float(9990 + sold_for),
        "contract_id": contract_id,
        "reference_id": receipt["transaction_id"],
        "sold_for": float(sold_for),
        "transaction_id": cash["transaction"]["transaction_id"],
    }
    assert (cash["transaction"]["action"], cash["transaction"]["id"]) == ("sell", stream)
    view = last["proposal_open_contract"]
    assert (view["status"], view["is_sold"], view["is_expired"], view["is_settleable"]) == ("sold", 1, 0, 0)
    assert (Decimal(view["sell_price"]), view["sell_time"]) == (sold_for, START + 20)
    assert (view["exit_spot"], view["exit_spot_time"]) == (view["current_spot"], START + 20)
    assert view["validation_error_code"] == "ContractAlreadySold"
    assert Decimal(view["profit"]) == sold_for - 10
    assert socket.ask({"portfolio": 1})["portfolio"]["contracts"] == []
    (row,) = socket.ask({"profit_table": 1})["profit_table"]["transactions"]
    assert (row["sell_price"], row["sell_time"]) == (float(sold_for), START + 20)
    market.advance_to(START + 70)
    assert socket.take() == []
    assert socket.ask({"balance": 1})["balance"]["balance"] == sale["sell"]["balance_after"]


def test_refusals_through_a_life(venue: Any) -> None:
    market = venue()
    socket, other = market.connect(ACCOUNT), market.connect(OTHER)
    contract_id = bought(socket)["contract_id"]
    met = [code_of(socket, contract_id)]
    for second in (1, 2, 4):
        market.advance_to(START + second)
        met.append(state(socket, contract_id).get("validation_error_code", "none"))
    market.advance_to(START + 46)
    met.append(code_of(socket, contract_id))
    assert code_of(other, contract_id) == "InvalidSellContractProposal"
    market.advance_to(START + 62)
    met.append(code_of(socket, contract_id))
    assert met == [
        "SameStartSellTime",
        "EntryTickMissing",
        "SellAtEntryTick",
        "none",
        "ResaleNotOffered",
        "ContractAlreadySold",
    ]
    assert socket.ask({"sell": contract_id, "price": 0})["error"]["message"] == REFUSALS["ContractAlreadySold"]
    assert code_of(socket, 1) == "InvalidSellContractProposal"


@pytest.mark.parametrize(
    ("terms", "second", "code"),
    [
        ({"duration": 5, "duration_unit": "t"}, 4, "ResaleNotOffered"),
        ({"duration": 45, "duration_unit": "s"}, 30, "sold"),
        ({"duration": 45, "duration_unit": "s"}, 31, "ResaleNotOffered"),
        ({"contract_type": "NOTOUCH", "barrier": "+3", "duration": 3}, 60, "sold"),
        ({"contract_type": "NOTOUCH", "barrier": "+3", "duration": 3}, 62, "ResaleNotOffered"),
        ({"duration": 2, "duration_unit": "d"}, 40_000, "sold"),
        ({"underlying_symbol": "JD100"}, 10, "ResaleNotOffered"),
    ],
)
def test_what_remains_must_itself_be_on_offer(venue: Any, terms: dict[str, Any], second: int, code: str) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    contract_id = bought(socket, **terms)["contract_id"]
    market.advance_to(START + second)
    assert state(socket, contract_id)["is_valid_to_sell"] == (code == "sold")
    assert code_of(socket, contract_id) == code


def test_a_bid_below_the_price_asked_is_refused_and_nothing_moves(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    contract_id = bought(socket)["contract_id"]
    market.advance_to(START + 6)
    bid = state(socket, contract_id)["bid_price"]
    above = float(Decimal(bid) + Decimal("0.01"))
    error = socket.ask({"sell": contract_id, "price": above})["error"]
    assert error["code"] == "PriceMoved"
    assert error["message"].endswith(f"has changed from {above:.2f} USD to {bid} USD.")
    assert state(socket, contract_id)["status"] == "open"
    assert socket.ask({"balance": 1})["balance"]["balance"] == 9990
    assert code_of(socket, contract_id, float(bid)) == "sold"


@pytest.mark.parametrize(
    ("answer", "second", "code"),
    [
        ({"resale": "never"}, 10, "ResaleNotOffered"),
        ({"sell_after_end": "NoOpenPosition"}, 70, "NoOpenPosition"),
    ],
)
def test_the_other_answers_to_open_questions(venue: Any, answer: dict[str, str], second: int, code: str) -> None:
    market = venue(assume=answer)
    socket = market.connect(ACCOUNT)
    contract_id = bought(socket)["contract_id"]
    market.advance_to(START + second)
    assert code_of(socket, contract_id) == code
