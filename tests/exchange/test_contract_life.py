"""The life of two recorded 15-second contracts on R_50 (new API, September 2026), field by field.

The quotes marked below were recorded; the ones between, which decide nothing, are made up.
"""

from __future__ import annotations

from typing import Any

import pytest

T = 1_789_347_000
TICKS = {
    T + 30: 92.0301,
    T + 32: 92.0377,
    T + 34: 92.0409,  # recorded: spot of the proposal
    T + 36: 92.0305,  # recorded: stamped with the CALL's start second, does not count
    T + 38: 92.0252,  # recorded: the CALL's entry, the PUT's start second
    T + 40: 92.0082,  # recorded: the PUT's entry
    T + 42: 92.0111,
    T + 44: 92.0199,
    T + 46: 92.0215,
    T + 48: 92.0240,
    T + 50: 92.0308,  # recorded: the CALL's exit, last tick at or before ...051
    T + 52: 92.0232,  # recorded: settles the CALL; the PUT's exit
    T + 54: 92.0250,
    T + 56: 92.0260,
}
REQUEST = {
    "proposal": 1,
    "amount": 10,
    "basis": "stake",
    "contract_type": "CALL",
    "currency": "USD",
    "duration": 15,
    "duration_unit": "s",
    "underlying_symbol": "R_50",
    "req_id": 4,
}


@pytest.fixture
def life(venue: Any, recorded: Any) -> dict[str, Any]:
    """Buys the CALL at ...036 and the PUT at ...038 as recorded and collects every frame."""
    market = venue(recorded("R_50", TICKS, T + 34), commission=0.0311)
    socket = market.connect("DOT90000001", app_id=777)
    socket.ask({"transaction": 1, "subscribe": 1, "req_id": 3})
    market.advance_to(T + 35)
    call_quote = socket.ask(REQUEST)
    market.advance_to(T + 36)
    call = socket.ask({"buy": call_quote["proposal"]["id"], "price": 10, "subscribe": 1, "req_id": 5})
    at_purchase = socket.take()
    market.advance_to(T + 37)
    waiting = socket.ask({"proposal_open_contract": 1, "contract_id": call["buy"]["contract_id"], "req_id": 9})
    market.advance_to(T + 38)
    put_quote = socket.ask({**REQUEST, "contract_type": "PUT"})
    put = socket.ask({"buy": put_quote["proposal"]["id"], "price": 10, "req_id": 6})
    socket.ask({"proposal_open_contract": 1, "contract_id": put["buy"]["contract_id"], "subscribe": 1, "req_id": 7})
    after_entry = socket.take()
    market.advance_to(T + 51)
    running = socket.take()
    market.advance_to(T + 52)
    call_end = socket.take()
    market.advance_to(T + 53)
    still = socket.take()
    market.advance_to(T + 54)
    put_end = socket.take()
    market.advance_to(T + 55)
    rows = socket.ask({"statement": 1, "description": 1, "req_id": 8})["statement"]["transactions"]
    until_054 = socket.ask({"statement": 1, "date_to": T + 54, "req_id": 10})["statement"]["transactions"]
    until_055 = socket.ask({"statement": 1, "date_to": T + 55, "req_id": 11})["statement"]["transactions"]
    return {k: v for k, v in locals().items() if k not in ("venue", "recorded")}


def body(frames: list[dict[str, Any]], kind: str, contract_id: int) -> list[dict[str, Any]]:
    return [f[kind] for f in frames if f["msg_type"] == kind and f[kind].get("contract_id") == contract_id]


def test_the_quote_is_the_recorded_one(life: dict[str, Any]) -> None:
    frame = life["call_quote"]
    quote = dict(frame["proposal"])
    assert len(quote.pop("id")) == 36
    assert quote == {
        "ask_price": 10,
        "contract_details": {"barrier": "92.0409"},
        "date_expiry": T + 50,
        "date_start": T + 35,
        "longcode": "Win payout if Volatility 50 Index is strictly higher than entry spot at 15 seconds after contract "
        "start time.",
        "payout": 18.83,
        "spot": 92.0409,
        "spot_time": T + 34,
        "validation_params": {"payout": {"max": "10000.00"}, "stake": {"min": "0.35"}},
    }
    assert frame["echo_req"] == REQUEST
    assert (frame["msg_type"], frame["req_id"]) == ("proposal", 4)


def test_the_purchase_is_stamped_anew(life: dict[str, Any]) -> None:
    receipt = life["call"]["buy"]
    assert receipt["purchase_time"] == receipt["start_time"] == T + 36
    assert receipt["shortcode"] == f"CALL_R_50_18.83_{T + 36}_{T + 51}_S0P_0"
    assert (receipt["buy_price"], receipt["payout"], receipt["balance_after"]) == (10, 18.83, 9990)


def test_answer_then_cash_then_contract(life: dict[str, Any]) -> None:
    assert [f["msg_type"] for f in life["at_purchase"]] == ["transaction", "proposal_open_contract"]
    cash = life["at_purchase"][0]["transaction"]
    assert (cash["action"], cash["amount"], cash["balance"], cash["transaction_time"]) == ("buy", -10, 9990, T + 36)
    assert cash["transaction_id"] == life["call"]["buy"]["transaction_id"]
    assert "purchase_time" not in cash


def test_before_the_entry_tick(life: dict[str, Any]) -> None:
    first = life["at_purchase"][1]["proposal_open_contract"]
    waiting = life["waiting"]["proposal_open_contract"]
    assert first["validation_error_code"] == "SameStartSellTime"
    assert waiting["validation_error_code"] == "EntryTickMissing"
    for view in (first, waiting):
        assert (view["status"], view["is_valid_to_sell"], view["is_sold"]) == ("open", 0, 0)
        assert not {"barrier", "entry_spot", "entry_spot_time"} & set(view)


def test_entry_is_the_first_tick_strictly_after_the_start(life: dict[str, Any]) -> None:
    call_id, put_id = life["call"]["buy"]["contract_id"], life["put"]["buy"]["contract_id"]
    call = body(life["after_entry"], "proposal_open_contract", call_id)[0]
    put = body(life["running"], "proposal_open_contract", put_id)[0]
    assert (call["entry_spot"], call["entry_spot_time"], call["barrier"]) == ("92.0252", T + 38, "92.0252")
    assert (put["entry_spot"], put["entry_spot_time"], put["barrier"]) == ("92.0082", T + 40, "92.0082")
    assert call["validation_error_code"] == "ResaleNotOffered"


def test_value_at_the_entry_is_payout_times_probability_less_commission(life: dict[str, Any]) -> None:
    call = body(life["after_entry"], "proposal_open_contract", life["call"]["buy"]["contract_id"])[0]
    # 18.83 * (0.4999 - 0.0311), as recorded.
    assert call["bid_price"] == "8.83"


def test_the_call_wins_and_settles_on_the_first_tick_after_its_end(life: dict[str, Any]) -> None:
    call_id = life["call"]["buy"]["contract_id"]
    assert not body(life["running"], "transaction", call_id)
    cash = body(life["call_end"], "transaction", call_id)
    view = body(life["call_end"], "proposal_open_contract", call_id)
    assert [f["msg_type"] for f in life["call_end"] if call_id in _ids(f)] == ["transaction", "proposal_open_contract"]
    assert (cash[0]["action"], cash[0]["amount"], cash[0]["balance"]) == ("sell", 18.83, 9998.83)
    assert (cash[0]["transaction_time"], cash[0]["purchase_time"]) == (T + 52, T + 36)
    end = view[0]
    assert (end["status"], end["sell_price"], end["profit"], end["profit_percentage"]) == ("won", "18.83", "8.83", 88.3)
    assert (end["exit_spot"], end["exit_spot_time"], end["sell_time"]) == ("92.0308", T + 50, T + 52)
    assert (end["is_expired"], end["is_settleable"], end["is_sold"]) == (1, 1, 1)
    assert (end["date_expiry"], end["validation_error_code"]) == (T + 51, "ContractAlreadySold")
    assert end["transaction_ids"] == {"buy": life["call"]["buy"]["transaction_id"], "sell": cash[0]["transaction_id"]}


def test_the_put_loses_and_a_zero_is_booked(life: dict[str, Any]) -> None:
    put_id = life["put"]["buy"]["contract_id"]
    assert not body(life["still"], "transaction", put_id)
    cash = body(life["put_end"], "transaction", put_id)[0]
    end = body(life["put_end"], "proposal_open_contract", put_id)[0]
    assert (cash["action"], cash["amount"], cash["transaction_time"]) == ("sell", 0, T + 54)
    assert (end["status"], end["sell_price"], end["profit"], end["sell_time"]) == ("lost", "0.00", "-10.00", T + 54)
    assert (end["exit_spot"], end["exit_spot_time"]) == ("92.0232", T + 52)


def test_audit_details_mark_the_ticks_that_counted(life: dict[str, Any]) -> None:
    view = body(life["call_end"], "proposal_open_contract", life["call"]["buy"]["contract_id"])[0]
    start, end = view["audit_details"]["contract_start"], view["audit_details"]["contract_end"]
    assert [(r["epoch"], r.get("name"), r.get("flag")) for r in start] == [
        (T + 36, "Start Time", "highlight_time"),
        (T + 38, "Entry Spot", "highlight_tick"),
    ]
    assert [(r["epoch"], r.get("name")) for r in end] == [
        (T + 50, "Exit Spot"),
        (T + 51, "End Time"),
        (T + 52, None),
    ]
    assert "tick" not in end[1]
    assert end[0]["tick_display_value"] == "92.0308"


def test_streams_of_a_settled_contract_end(life: dict[str, Any]) -> None:
    call_id = life["call"]["buy"]["contract_id"]
    assert not [f for f in (*life["still"], *life["put_end"]) if call_id in _ids(f)]


def test_statement_is_newest_first_and_date_to_is_exclusive(life: dict[str, Any]) -> None:
    rows = life["rows"]
    assert [r["action_type"] for r in rows] == ["sell", "sell", "buy", "buy"]
    assert [r["transaction_time"] for r in rows] == [T + 54, T + 52, T + 38, T + 36]
    assert rows[1]["reference_id"] == rows[3]["transaction_id"]
    assert rows[0]["reference_id"] == rows[2]["transaction_id"]
    assert rows[2]["reference_id"] is None
    assert {r["app_id"] for r in rows} == {777}
    assert rows[3]["shortcode"] == f"CALL_R_50_18.83_{T + 36}_{T + 51}_S0P_0"
    assert T + 54 not in [r["transaction_time"] for r in life["until_054"]]
    assert T + 54 in [r["transaction_time"] for r in life["until_055"]]
    assert not {"longcode", "shortcode"} & set(life["until_055"][0])


def test_balance_follows_every_cent(life: dict[str, Any]) -> None:
    balances = [r["balance_after"] for r in reversed(life["rows"])]
    assert balances == [9990, 9980, 9998.83, 9998.83]


def _ids(frame: dict[str, Any]) -> set[Any]:
    inner = frame.get(frame["msg_type"])
    return {inner.get("contract_id")} if isinstance(inner, dict) else set()
