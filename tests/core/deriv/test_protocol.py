"""Frames as recorded on Deriv's new API in September 2026, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from xtitan_core.deriv.errors import FrameError
from xtitan_core.deriv.protocol import (
    Balance,
    BuyReceipt,
    OpenContract,
    Proposal,
    Tick,
    call_of,
    decode,
    error_of,
)
from xtitan_core.deriv.records import PortfolioContract, Shortcode, StatementRow, Transaction

TICK = {
    "echo_req": {"req_id": 5, "subscribe": 1, "ticks": "R_50"},
    "msg_type": "tick",
    "req_id": 5,
    "subscription": {"id": "S"},
    "tick": {"ask": 91.8708, "bid": 91.8508, "epoch": 1789346764, "id": "S", "pip_size": 4, "quote": 91.8608, "symbol": "R_50"},
}  # fmt: skip
PROPOSAL = {
    "msg_type": "proposal",
    "proposal": {
        "ask_price": 10,
        "contract_details": {"barrier": "92.0409"},
        "date_expiry": 1789347050,
        "date_start": 1789347035,
        "id": "00000000-0000-4000-8000-000000000001",
        "longcode": "Win payout if Volatility 50 Index is strictly higher than entry spot.",
        "payout": 18.83,
        "spot": 92.0409,
        "spot_time": 1789347034,
        "validation_params": {"payout": {"max": "10000.00"}, "stake": {"min": "0.35"}},
    },
}
BUY = {
    "msg_type": "buy",
    "buy": {
        "balance_after": 9945.74,
        "buy_price": 10,
        "contract_id": 12859891379,
        "longcode": "…",
        "payout": 18.83,
        "purchase_time": 1789347036,
        "shortcode": "CALL_R_50_18.83_1789347036_1789347051_S0P_0",
        "start_time": 1789347036,
        "transaction_id": 24655144239,
    },
}
SETTLED = {
    "msg_type": "proposal_open_contract",
    "proposal_open_contract": {
        "account_id": "kept out",
        "bid_price": "18.83",
        "buy_price": "10.00",
        "contract_id": 12859891379,
        "contract_type": "CALL",
        "date_expiry": 1789347051,
        "date_start": 1789347036,
        "entry_spot": "92.0252",
        "entry_spot_time": 1789347038,
        "exit_spot": "92.0308",
        "exit_spot_time": 1789347050,
        "is_expired": 1,
        "is_sold": 1,
        "payout": "18.83",
        "profit": "8.83",
        "purchase_time": 1789347036,
        "sell_price": "18.83",
        "sell_time": 1789347052,
        "shortcode": "CALL_R_50_18.83_1789347036_1789347051_S0P_0",
        "status": "won",
        "transaction_ids": {"buy": 24655144239, "sell": 24655172099},
        "underlying_symbol": "R_50",
    },
}
SELL = {
    "msg_type": "transaction",
    "transaction": {
        "action": "sell",
        "amount": 18.83,
        "balance": 9954.57,
        "contract_id": 12859891379,
        "currency": "USD",
        "date_expiry": 1789347051,
        "id": "S",
        "longcode": "…",
        "purchase_time": 1789347036,
        "transaction_id": 24655172099,
        "transaction_time": 1789347052,
        "underlying_symbol": "R_50",
    },
}
STATEMENT_BUY = {
    "action_type": "buy",
    "amount": -10,
    "app_id": 1089,
    "balance_after": 9945.74,
    "contract_id": 12859891379,
    "payout": 18.83,
    "reference_id": None,
    "transaction_id": 24655144239,
    "transaction_time": 1789347036,
}


def test_a_tick() -> None:
    assert Tick.from_frame(TICK) == Tick("R_50", 1789346764, 91.8608, 4)


@pytest.mark.parametrize(
    ("key", "value"),
    [("quote", 0), ("quote", -1.5), ("quote", None), ("quote", True), ("epoch", 1.5), ("epoch", "1"), ("symbol", ""),
     ("symbol", 7), ("pip_size", None)],
)  # fmt: skip
def test_a_tick_that_could_poison_a_feature_is_refused(key: str, value: object) -> None:
    frame = copy.deepcopy(TICK)
    frame["tick"][key] = value  # type: ignore[index]
    with pytest.raises(FrameError):
        Tick.from_frame(frame)


def test_a_quote_in_cents_with_the_text_that_names_the_direction() -> None:
    quote = Proposal.from_frame(PROPOSAL)
    assert (quote.ask_cents, quote.payout_cents, quote.spot, quote.date_expiry) == (1000, 1883, 92.0409, 1789347050)
    assert "strictly higher" in quote.longcode


@pytest.mark.parametrize(
    ("key", "value"), [("ask_price", 0), ("ask_price", -1), ("payout", 18.834), ("id", ""), ("spot", "x")]
)
def test_a_quote_that_cannot_be_paid_exactly_is_refused(key: str, value: object) -> None:
    with pytest.raises(FrameError):
        Proposal.from_frame({"proposal": {**PROPOSAL["proposal"], key: value}})  # type: ignore[dict-item]


def test_a_purchase_receipt() -> None:
    receipt = BuyReceipt.from_frame(BUY)
    assert receipt.contract_id == 12859891379
    assert (receipt.buy_cents, receipt.payout_cents, receipt.balance_cents) == (1000, 1883, 994574)


@pytest.mark.parametrize("key", sorted(BUY["buy"]))  # type: ignore[arg-type]
def test_a_receipt_without_any_one_of_its_fields_is_refused(key: str) -> None:
    body = {k: v for k, v in BUY["buy"].items() if k != key}  # type: ignore[union-attr]
    with pytest.raises(FrameError, match=key):
        BuyReceipt.from_frame({"buy": body})


def test_a_settled_contract_has_its_money_as_text() -> None:
    contract = OpenContract.from_frame(SETTLED)
    assert contract is not None
    assert (contract.is_sold, contract.status, contract.sell_cents, contract.profit_cents) == (True, "won", 1883, 883)
    assert (contract.entry_epoch, contract.entry_spot) == (1789347038, 92.0252)
    assert (contract.exit_epoch, contract.exit_spot, contract.sell_time) == (1789347050, 92.0308, 1789347052)
    assert (contract.buy_transaction_id, contract.sell_transaction_id) == (24655144239, 24655172099)


def test_a_contract_before_its_entry_tick_has_no_entry() -> None:
    body: dict[str, Any] = dict(SETTLED["proposal_open_contract"])  # type: ignore[call-overload]
    for key in ("entry_spot", "entry_spot_time", "exit_spot", "exit_spot_time", "sell_price", "sell_time"):
        body[key] = None
    body |= {"is_sold": 0, "is_expired": 0, "status": "open", "profit": "-1.755", "transaction_ids": {"buy": 1}}
    contract = OpenContract.from_frame({"proposal_open_contract": body})
    assert contract is not None
    assert (contract.is_sold, contract.entry_spot, contract.sell_cents, contract.sell_transaction_id) == (
        False,
        None,
        None,
        None,
    )
    assert contract.profit_cents is None, "a valuation with fractions of a cent is not money"


def test_a_settled_contract_with_a_profit_that_is_not_money_is_refused() -> None:
    body = {**SETTLED["proposal_open_contract"], "profit": "8.835"}  # type: ignore[dict-item]
    with pytest.raises(FrameError, match="profit"):
        OpenContract.from_frame({"proposal_open_contract": body})


def test_nothing_open_is_nothing() -> None:
    assert OpenContract.from_frame({"proposal_open_contract": {}, "subscription": {"id": "S"}}) is None


def test_a_cash_movement_and_the_acknowledgement_that_is_none() -> None:
    row = Transaction.from_frame(SELL)
    assert row is not None
    assert (row.action, row.amount_cents, row.balance_cents, row.purchase_time) == ("sell", 1883, 995457, 1789347036)
    assert Transaction.from_frame({"transaction": {"id": "S"}}) is None
    with pytest.raises(FrameError):
        Transaction.from_frame({"transaction": {"id": "S", "action": "sell"}})


def test_statement_rows_tolerate_fields_the_schema_does_not_list() -> None:
    (row,) = StatementRow.list_from_frame({"statement": {"count": 1, "transactions": [STATEMENT_BUY]}})
    assert (row.amount_cents, row.balance_after_cents, row.reference_id, row.shortcode) == (-1000, 994574, None, None)


def test_balance_and_portfolio() -> None:
    assert (
        Balance.from_frame({"balance": {"balance": 9955.74, "currency": "USD", "loginid": "DOT1"}}).balance_cents
        == 995574
    )
    row = {"contract_id": 1, "transaction_id": 2, "underlying_symbol": "R_50", "contract_type": "CALL", "buy_price": 10,
           "payout": 18.83, "purchase_time": 5, "expiry_time": 20, "shortcode": "s", "longcode": "l"}  # fmt: skip
    (held,) = PortfolioContract.list_from_frame({"portfolio": {"contracts": [row]}})
    assert (held.contract_id, held.buy_cents, held.payout_cents) == (1, 1000, 1883)


@pytest.mark.parametrize(
    ("code", "kind", "symbol", "payout", "ticks", "seconds", "barriers"),
    [
        ("CALL_R_50_18.83_1789347036_1789347051_S0P_0", "CALL", "R_50", 1883, None, 15, ("S0P", "0")),
        ("CALL_1HZ100V_66.87_1717660032_5T_S0P_0", "CALL", "1HZ100V", 6687, 5, None, ("S0P", "0")),
        ("RANGE_R_100_20_1789347036_1789347156_S10P_S-10P", "RANGE", "R_100", 2000, None, 120, ("S10P", "S-10P")),
    ],
)
def test_shortcodes(
    code: str, kind: str, symbol: str, payout: int, ticks: int | None, seconds: int | None, barriers: tuple[str, str]
) -> None:
    it = Shortcode.parse(code)
    assert (it.contract_type, it.symbol, it.payout_cents, it.ticks, it.seconds, it.barriers) == (
        kind, symbol, payout, ticks, seconds, barriers,
    )  # fmt: skip


@pytest.mark.parametrize(
    "code",
    ["", "CALL", "CALL_R_50_18.83_x_5T_S0P_0", "CALL_R_50_x_1_5T_S0P_0", "CALL_R_50_1_1_T_S0P_0", "CALL_1_2_3_S0P_0",
     "CALL_R_50_1.005_1_5T_S0P_0", "CALL_R_50_1_١_5T_S0P_0"],
)  # fmt: skip
def test_what_is_no_shortcode_is_refused(code: str) -> None:
    with pytest.raises(FrameError):
        Shortcode.parse(code)


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "1", "null", '{"a":NaN}', '{"a":Infinity}', '{"a":', "[" * 100_000, None]
)
def test_only_json_objects_are_frames(text: str | None) -> None:
    with pytest.raises(FrameError):
        decode(text)


def test_an_infinite_number_written_with_digits_is_caught_where_it_is_read() -> None:
    with pytest.raises(FrameError, match="finite"):
        Tick.from_frame(decode('{"tick":{"epoch":1,"pip_size":2,"quote":1e999,"symbol":"R_100"}}'))


def test_error_frames() -> None:
    error = error_of(
        {
            "msg_type": "proposal",
            "error": {"code": "InputValidationFailed", "message": "no", "details": {"amount": "x"}},
        }
    )
    assert error is not None
    assert (error.code, error.call, error.details) == ("InputValidationFailed", "proposal", {"amount": "x"})
    assert error_of(TICK) is None
    assert error_of({"error": "broken"}).code == "WrongResponse"  # type: ignore[union-attr]
    assert (call_of(TICK), call_of({})) == ("tick", "")
