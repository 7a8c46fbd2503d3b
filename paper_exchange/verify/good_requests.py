"""Good requests of every call that bad ones are made from, each with the members its schema nests."""

from __future__ import annotations

from paper_exchange.protocol.frames import Frame

_ID = "0123456789abcdef0123456789abcdef"


def _terms(kind: str, duration: int, unit: str, **barriers: str) -> Frame:
    terms: Frame = {
        "amount": 10,
        "basis": "stake",
        "contract_type": kind,
        "currency": "USD",
        "duration": duration,
        "duration_unit": unit,
        "underlying_symbol": "R_100",
    }
    return {**terms, **barriers}


_CONTRACTS = (
    {**_terms("CALL", 5, "t"), "limit_order": {"take_profit": 1, "stop_loss": 1}},
    _terms("HIGHER", 5, "m", barrier="+0.10"),
    _terms("ONETOUCH", 2, "m", barrier="-0.50"),
    _terms("RANGE", 1, "h", barrier="+5", barrier2="-5"),
    _terms("DIGITMATCH", 5, "t", barrier="7"),
)

GOOD: dict[str, tuple[Frame, ...]] = {
    "active_symbols": ({"active_symbols": "full", "contract_type": ["CALL"]},),
    "balance": ({"balance": 1, "subscribe": 1},),
    "buy": (
        {"buy": _ID, "price": 10},
        *({"buy": "1", "price": 10, "parameters": terms} for terms in _CONTRACTS),
    ),
    "cancel": ({"cancel": 1},),
    "contract_update": ({"contract_update": 1, "contract_id": 1, "limit_order": {"take_profit": 1}},),
    "contract_update_history": ({"contract_update_history": 1, "contract_id": 1},),
    "contracts_for": ({"contracts_for": "R_100"},),
    "contracts_list": ({"contracts_list": 1},),
    "forget": ({"forget": _ID},),
    "forget_all": ({"forget_all": "candles"}, {"forget_all": ["candles"]}),
    "logout": ({"logout": 1},),
    "ping": ({"ping": 1},),
    "portfolio": ({"portfolio": 1, "contract_type": ["CALL"]},),
    "profit_table": ({"profit_table": 1, "limit": 5, "date_from": "2026-01-01"},),
    "proposal": tuple({"proposal": 1, **terms} for terms in _CONTRACTS),
    "proposal_open_contract": ({"proposal_open_contract": 1}, {"proposal_open_contract": 1, "contract_id": 1}),
    "sell": ({"sell": 1, "price": 1},),
    "statement": ({"statement": 1, "limit": 5},),
    "ticks": ({"ticks": "R_100"}, {"ticks": ["R_100", "R_50"]}),
    "ticks_history": (
        {"ticks_history": "R_100", "end": "latest"},
        {"ticks_history": "R_100", "end": "latest", "style": "candles", "granularity": 60, "count": 5},
    ),
    "time": ({"time": 1},),
    "trading_times": ({"trading_times": "today"},),
    "transaction": ({"transaction": 1, "subscribe": 1},),
}
