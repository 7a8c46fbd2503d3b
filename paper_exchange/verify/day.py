"""A trader's day: every call, every contract on offer, from the first tick to the statement.

What is bought comes from ``contracts_for``, so that everything the exchange offers is bought, at the barriers it names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from paper_exchange.protocol.frames import Frame
from paper_exchange.verify.offers import Row, terms_of
from paper_exchange.verify.trader import ACCOUNTS, BULK, SOCKETS, RestClient, Trader

SYMBOL = "R_100"
MORE = ("R_100", "1HZ100V")
"""Symbols that are always traded. Of every other submarket, one symbol is traded."""
INSTANTS = 90
"""Instants after each round of purchases; enough for contracts of two minutes to end."""
GRANULARITIES = (60, 3_600, 86_400)
NOT_OFFERED = ("ASIANU", "RESETCALL", "RUNHIGH", "TICKHIGH", "ACCU", "MULTUP", "TURBOSLONG", "VANILLALONGCALL")


async def rest_morning(rest: RestClient, account: str) -> str:
    """The REST calls; returns the URL of the account's socket."""
    await rest.call("health", "/v1/health")
    await rest.call("get_accounts", ACCOUNTS)
    wanted = {"currency": "USD", "group": "row", "account_type": "demo"}
    await rest.call("create_account", ACCOUNTS, wanted)
    names = {"account_id": account}
    await rest.call("reset_demo_balance", f"{ACCOUNTS}/{account}/reset-demo-balance", names=names)
    contract = {
        "contract_type": "CALL",
        "underlying_symbol": SYMBOL,
        "currency": "USD",
        "amount": 1,
        "basis": "stake",
        "duration": 5,
        "duration_unit": "t",
    }
    order = {"contract_parameters": contract, "accounts": [{"token": "paper", "account_id": account}] * 2}
    await rest.call("bulk_purchase", BULK, order, headers={"Deriv-App-ID": "1089"})
    granted = await rest.call("websocket", f"{ACCOUNTS}/{account}/otp", names={"accountId": account})
    return str(granted["data"]["url"])


async def rest_refusals(rest: RestClient, account: str) -> None:
    """REST requests that have to be refused."""
    good: dict[str, Any] = {"currency": "USD", "group": "row", "account_type": "demo"}
    for name in good:
        await rest.call("create_account", ACCOUNTS, {k: v for k, v in good.items() if k != name}, bad=True)
        for value in (1, "", "x", None):
            await rest.call("create_account", ACCOUNTS, {**good, name: value}, bad=True)
    entry = {"token": "paper", "account_id": account}
    bodies: tuple[Frame, ...] = (
        {},
        {"contract_parameters": {}},
        {"accounts": [entry]},
        {"contract_parameters": 1, "accounts": [entry]},
        {"contract_parameters": {}, "accounts": []},
        {"contract_parameters": {}, "accounts": [entry] * 101},
        {"contract_parameters": {}, "accounts": [{"token": "paper"}]},
        {"contract_parameters": {}, "accounts": [{**entry, "x": 1}]},
        {"contract_parameters": {}, "accounts": [{**entry, "token": 1}]},
    )
    for body in bodies:
        await rest.call("bulk_purchase", BULK, body, bad=True)
    for headers in ({}, {"Authorization": "Bearer paper"}, {"Authorization": "Bearer wrong", "Deriv-App-ID": "1"}):
        await rest.call("get_accounts", ACCOUNTS, headers=headers, bad=True)
        await rest.call("websocket", f"{ACCOUNTS}/{account}/otp", headers=headers, bad=True)
        await rest.call("reset_demo_balance", f"{ACCOUNTS}/{account}/reset-demo-balance", headers=headers, bad=True)
    await rest.call("websocket", f"{ACCOUNTS}/DOT1/otp", bad=True)
    await rest.call("reset_demo_balance", f"{ACCOUNTS}/DOT1/reset-demo-balance", bad=True)


async def market(trader: Trader) -> dict[str, int]:
    """Everything the public socket serves; returns how many rows are on offer, for one symbol of each submarket."""
    await trader.call({"ping": 1})
    await trader.call({"time": 1, "passthrough": {"note": [1, {"any": None}]}})
    await trader.call({"contracts_list": 1})
    await trader.call({"active_symbols": "brief", "contract_type": ["CALL", "DIGITODD"]})
    offered: dict[str, int] = {}
    seen = set()
    for row in (await trader.call({"active_symbols": "full"}))["active_symbols"]:
        name = row["underlying_symbol"]
        await trader.call({"ticks": name})
        offers = await trader.call({"contracts_for": name})
        if "error" not in offers and (name in MORE or row["submarket"] not in seen):
            seen.add(row["submarket"])
            offered[name] = len(offers["contracts_for"]["available"])
    await trader.call({"trading_times": "today"})
    await trader.call({"trading_times": "2026-03-07"})
    await trader.call({"ticks_history": SYMBOL, "end": "latest", "count": 50})
    for granularity in GRANULARITIES:
        history = {"ticks_history": SYMBOL, "end": "latest", "style": "candles", "granularity": granularity, "count": 5}
        await trader.call(history)
    await trader.call({"ticks_history": SYMBOL, "end": "latest", "start": 1, "adjust_start_time": 1, "count": 3})
    await trader.fail({"ticks": "NOWHERE"}, "InvalidSymbol")
    await trader.fail({"contracts_for": "NOWHERE"}, "InvalidSymbol")
    await trader.fail({"balance": 1}, "AuthorizationRequired")
    await trader.call(_price({"contract_type": "CALL", "duration": 5, "duration_unit": "t"}))
    return offered


async def trading(trader: Trader, names: Iterable[str]) -> None:
    """Streams, prices, purchases of everything on offer, sales, settlements, books."""
    await trader.join()
    streams: list[Frame] = [
        {"balance": 1, "subscribe": 1},
        {"transaction": 1, "subscribe": 1},
        {"proposal_open_contract": 1, "subscribe": 1},
        {"ticks": SYMBOL, "subscribe": 1},
        {"ticks_history": SYMBOL, "end": "latest", "style": "candles", "count": 2, "subscribe": 1},
        {"ticks_history": "R_50", "end": "latest", "count": 2, "subscribe": 1},
        _price({"contract_type": "CALL", "duration": 5, "duration_unit": "t"}, subscribe=1),
    ]
    opened = [await trader.call(stream) for stream in streams]
    for stream in streams:
        await trader.fail(stream, "AlreadySubscribed")
    await trader.call({"buy": "1", "price": 10, "subscribe": 1, "parameters": _parameters()})
    for name in names:
        await _trade_all(trader, name)
        await _books(trader)
    await _ungrantable(trader)
    await trader.call({"forget": opened[3]["subscription"]["id"]})
    await trader.call({"forget": opened[3]["subscription"]["id"]})
    await trader.call({"forget_all": "candles"})
    await trader.call({"forget_all": ["ticks", "proposal", "proposal_open_contract", "balance", "transaction"]})


async def _trade_all(trader: Trader, name: str) -> None:
    """Buy the shortest contract of every row on offer, follow them, sell what still runs and can be sold."""
    rows = (await trader.call({"contracts_for": name}))["contracts_for"]["available"]
    spot = (await trader.call({"ticks": name}))["tick"]["quote"]
    bought = [await _buy(trader, row, spot) for row in rows]
    ids = [answer["buy"]["contract_id"] for answer in bought if "buy" in answer]
    await trader.instants(3)
    await _books(trader)
    await trader.instants(INSTANTS)
    for contract_id in ids:
        await trader.call({"sell": contract_id, "price": 0})
        await trader.call({"proposal_open_contract": 1, "contract_id": contract_id})
    if ids:
        await _multipliers(trader, ids[0])


async def evening(trader: Trader) -> int | None:
    """Log out; returns the close code."""
    await trader.call({"logout": 1})
    return await trader.closed()


def public_socket(base: str) -> str:
    """URL of the public socket."""
    return f"ws{base.removeprefix('http')}{SOCKETS}/public"


async def _books(trader: Trader) -> None:
    """Every account call, in its forms."""
    now = (await trader.call({"time": 1}))["time"]
    await trader.call({"balance": 1})
    await trader.call({"portfolio": 1})
    await trader.call({"portfolio": 1, "contract_type": ["CALL", "ONETOUCH"]})
    for extra in ({}, {"description": 1, "sort": "ASC"}, {"limit": 3, "offset": 1}, {"contract_type": ["PUT"]}):
        await trader.call({"profit_table": 1, **extra})
    await trader.call({"profit_table": 1, "date_from": "2026-01-01", "date_to": str(now), "description": 1})
    for extra in ({}, {"description": 1}, {"limit": 3, "offset": 2}, {"date_from": now - 3_600, "date_to": now}):
        await trader.call({"statement": 1, **extra})
    for action in ("buy", "sell", "deposit", "withdrawal"):
        await trader.call({"statement": 1, "action_type": action, "description": 1})
    await trader.call({"proposal_open_contract": 1})


async def _multipliers(trader: Trader, contract_id: int) -> None:
    """Calls that only multipliers have, on a contract that is none."""
    orders = ({"take_profit": 5}, {"stop_loss": None})
    requests: list[Frame] = [
        {"cancel": contract_id},
        {"contract_update_history": 1, "contract_id": contract_id, "limit": 10},
        *({"contract_update": 1, "contract_id": contract_id, "limit_order": order} for order in orders),
    ]
    for request in requests:
        await trader.call(request)


async def _ungrantable(trader: Trader) -> None:
    """Well-formed requests that cannot be granted, and the codes they must be refused with."""
    ticks: Frame = {"duration": 5, "duration_unit": "t"}
    call: Frame = {"contract_type": "CALL", **ticks}
    await trader.fail({"buy": "0" * 32, "price": 10}, "InvalidContractProposal")
    await trader.fail({"buy": "1", "price": 10}, "InvalidContractProposal")
    await trader.fail({"buy": "1", "price": 1, "parameters": _parameters()}, "PriceMoved")
    await trader.fail({"sell": 1, "price": 0}, "InvalidSellContractProposal")
    await trader.fail(_price({**call, "underlying_symbol": "NOWHERE"}), "OfferingsInvalidSymbol", "InvalidSymbol")
    await trader.fail(_price({"contract_type": "CALL", "duration": 11, "duration_unit": "t"}), "TicksNumberLimits")
    await trader.fail(_price({**call, "barrier": "+0.1"}), "ContractBuyValidationError", "InvalidBarrier")
    await trader.fail(_price({"contract_type": "HIGHER", **ticks}), "InvalidBarrierSingle")
    await trader.fail(_price({**call, "amount": 0.1}), "StakeLimits", "InvalidtoBuy")
    for kind in NOT_OFFERED:
        await trader.fail(_price({"contract_type": kind, **ticks}), "InvalidOfferings")
    for text, code in (
        ("[]", "BadRequest"),
        ("no JSON", "BadRequest"),
        ('{"nothing":1}', "UnrecognisedRequest"),
        ('{"ping":1,"a b":1}', "SanityCheckFailed"),
    ):
        await trader.garbage(text, code)
    price = (await trader.call(_price(call)))["proposal"]
    await trader.call({"buy": price["id"], "price": price["ask_price"]})
    await trader.fail({"buy": price["id"], "price": price["ask_price"]}, "InvalidContractProposal")


async def _buy(trader: Trader, row: Row, spot: float) -> Frame:
    """Buy the shortest contract of a row, at the nearest barriers that leave both sides something to win."""
    request: Frame = {}
    for terms in terms_of(row, spot):
        request = _price(terms)
        answer = await trader.call(request)
        if "proposal" in answer:
            price = answer["proposal"]
            return await trader.grant({"buy": price["id"], "price": price["ask_price"]})
    trader.wrong(request, "is on offer, and no barrier of it has a price")
    return {}


def _price(terms: Frame, *, subscribe: int = 0) -> Frame:
    request = {"proposal": 1, "amount": 1, "basis": "stake", "currency": "USD", "underlying_symbol": SYMBOL, **terms}
    return {**request, "subscribe": 1} if subscribe else request


def _parameters() -> Frame:
    terms = _price({"contract_type": "PUT", "duration": 15, "duration_unit": "s", "amount": 10, "basis": "payout"})
    return {name: value for name, value in terms.items() if name != "proposal"}
