"""What the exchange says unasked: ticks, candles, cash movements, the course of contracts, settlement."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.contracts.resale import could_be_sold
from paper_exchange.money import number, spot
from paper_exchange.trading.positions import bid_now, view_of
from paper_exchange.trading.quotes import requote
from paper_exchange.venue.accounts import Account, CashRow
from paper_exchange.venue.connections import Connection, Frame, Subscription
from paper_exchange.venue.state import Venue
from xtitan_core.contracts import ContractType
from xtitan_core.symbols import Symbol

SPREAD = 1.1e-4
"""Half the distance between bid and ask as a fraction of the symbol's first price; recorded on R_50: 0.01 at 92."""

WON_BY_TOUCH = frozenset({ContractType.ONETOUCH, ContractType.UPORDOWN})
"""Types that can be won before their end."""


def on_tick(venue: Venue, name: str, epoch: int, quote: float) -> None:
    """A symbol ticked: tell whoever subscribed, then move its contracts on, settling those that ended."""
    symbol = venue.symbols[name]
    if venue.faults.armed:
        for told in venue.faults.ticks(venue, symbol, epoch, quote):
            _tell(venue, *told)
    else:
        _tell(venue, symbol, epoch, quote)
    for contract in list(venue.open_by_symbol.get(name, {}).values()):
        if contract.on_tick(epoch, quote):
            settle(venue, contract)
        else:
            contract_moved(venue, contract)


def _tell(venue: Venue, symbol: Symbol, epoch: int, quote: float) -> None:
    """Send a tick to whoever subscribed to its symbol."""
    body = ""
    for connection, subscription in venue.watchers.get(symbol.name, ()):
        if subscription.kind == "ticks":
            # One text for all subscribers, put together rather than encoded: ticks are nearly all that is ever sent.
            body = body or tick_text(symbol, epoch, quote)
            text = f'{subscription.opening},"tick":{body},"id":"{subscription.subscription_id}"}}}}'
            venue.send_text(connection, text)
        elif subscription.kind == "proposal":
            requote(venue, connection, subscription)
        else:
            venue.send(connection, _candle_frame(subscription, symbol, epoch, quote))


def tick_body(symbol: Symbol, epoch: int, quote: float) -> dict[str, Any]:
    """The ``tick`` member of a frame, without its id."""
    half = _half_spread(symbol.decimals, symbol.initial_price)
    return {
        "ask": spot(round(quote + half, symbol.decimals)),
        "bid": spot(round(quote - half, symbol.decimals)),
        "epoch": epoch,
        "pip_size": symbol.decimals,
        "quote": spot(quote),
        "symbol": symbol.name,
    }


def tick_text(symbol: Symbol, epoch: int, quote: float) -> str:
    """``tick_body`` as its JSON text, without the closing brace; a template takes a third of the encoder's time."""
    decimals = symbol.decimals
    half = _half_spread(decimals, symbol.initial_price)
    return (
        f'{{"ask":{spot(round(quote + half, decimals))},"bid":{spot(round(quote - half, decimals))},"epoch":{epoch},'
        f'"pip_size":{decimals},"quote":{spot(quote)},"symbol":"{symbol.name}"'
    )


@cache
def _half_spread(decimals: int, first_price: float) -> float:
    return max(float(Decimal(1).scaleb(-decimals)), first_price * SPREAD)


def tick_frame(subscription: Subscription, symbol: Symbol, epoch: int, quote: float) -> Frame:
    """One frame of a tick stream."""
    body = tick_body(symbol, epoch, quote)
    body["id"] = subscription.subscription_id
    return {**subscription.head, "tick": body}


def _candle_frame(subscription: Subscription, symbol: Symbol, epoch: int, quote: float) -> Frame:
    """One ``ohlc`` update: prices as text, the candle that ``epoch`` falls into."""
    opened = epoch // subscription.granularity * subscription.granularity
    candle = subscription.candle
    if not candle or candle[0] != opened:
        subscription.candle = candle = [opened, quote, quote, quote, quote]
    candle[2], candle[3], candle[4] = max(candle[2], quote), min(candle[3], quote), quote
    body = {
        "close": symbol.format(candle[4]),
        "epoch": epoch,
        "granularity": subscription.granularity,
        "high": symbol.format(candle[2]),
        "id": subscription.subscription_id,
        "low": symbol.format(candle[3]),
        "open": symbol.format(candle[1]),
        "open_time": opened,
        "pip_size": symbol.decimals,
        "symbol": symbol.name,
    }
    return {**subscription.head, "ohlc": body}


def settle(venue: Venue, contract: OpenContract) -> None:
    """Pay a contract that is over and say so: transaction, balance, last open-contract frame, in this order."""
    proceeds = venue.faults.proceeds(venue, contract) if venue.faults.armed else contract.proceeds()
    row = book_sale(venue, contract, proceeds)
    cash_moved(venue, venue.accounts[contract.account_id], row)
    contract_moved(venue, contract)


def wind_up(venue: Venue, contract: OpenContract) -> None:
    """Close a contract that outlives the market's ticks: stake back.

    What could have ended before, by a touch that wins or by a sale, gets the bid where that is less: getting the stake
    back whenever it had not would be an option for nothing.
    """
    early = contract.contract.contract_type in WON_BY_TOUCH and contract.entry is not None
    if not early and not could_be_sold(contract, offered=venue.assumes("resale") != "never"):
        settle(venue, contract)
        return
    bid = bid_now(venue, contract)
    if bid >= contract.price.ask:
        settle(venue, contract)
        return
    contract.resale = venue.last_tick(contract.terms.symbol.name)
    row = book_sale(venue, contract, bid)
    cash_moved(venue, venue.accounts[contract.account_id], row)
    contract_moved(venue, contract)


def book_sale(venue: Venue, contract: OpenContract, amount: Decimal) -> CashRow:
    """Close a contract for an amount, zero included: cash, statement row, no open position. Says nothing yet."""
    account = venue.accounts[contract.account_id]
    contract.sold_for = amount
    contract.sell_id, contract.sell_time = venue.new_transaction_id(), venue.epoch
    row = account.book(contract.sell_id, "sell", amount, venue.epoch, contract, contract.buy_id)
    del account.open[contract.contract_id]
    name = contract.terms.symbol.name
    contracts = venue.open_by_symbol[name]
    del contracts[contract.contract_id]
    if not contracts:
        del venue.open_by_symbol[name]
    return row


def cash_moved(venue: Venue, account: Account, row: CashRow) -> None:
    """Tell every socket of the account that money moved."""
    for connection in list(venue.connections.values()):
        if connection.account is not account:
            continue
        for subscription in connection.of_kind("transaction"):
            body = {**transaction_body(account, row), "id": subscription.subscription_id}
            venue.send(connection, {**subscription.head, "transaction": body})
        for subscription in connection.of_kind("balance"):
            body = {**balance_body(account), "id": subscription.subscription_id}
            venue.send(connection, {**subscription.head, "balance": body})


def transaction_body(account: Account, row: CashRow) -> dict[str, Any]:
    """The ``transaction`` member of a stream frame, without its id."""
    body: dict[str, Any] = {
        "action": row.action,
        "amount": number(row.amount),
        "balance": number(row.balance),
        "currency": account.currency,
        "transaction_id": row.transaction_id,
        "transaction_time": row.time,
    }
    if row.contract is not None:
        body |= {
            "contract_id": row.contract.contract_id,
            "date_expiry": row.contract.end,
            "longcode": row.contract.longcode,
            "underlying_symbol": row.contract.terms.symbol.name,
        }
        if row.action == "sell":
            body["purchase_time"] = row.contract.start
    return body


def balance_body(account: Account) -> dict[str, Any]:
    """The ``balance`` member of a frame, without its id."""
    return {"balance": number(account.balance), "currency": account.currency, "loginid": account.account_id}


def contract_moved(venue: Venue, contract: OpenContract) -> None:
    """Tell whoever follows the contract; streams of one contract end with its settlement."""
    view: dict[str, Any] | None = None
    for connection in list(venue.connections.values()):
        if connection.account is None or connection.account.account_id != contract.account_id:
            continue
        for subscription in list(connection.of_kind("proposal_open_contract")):
            if subscription.contract_id not in (None, contract.contract_id):
                continue
            if view is None:
                view = view_of(venue, contract)
            send_view(venue, connection, subscription, view)
            if contract.sold_for is not None and subscription.contract_id is not None:
                venue.forget(connection, subscription.subscription_id)


def send_view(venue: Venue, connection: Connection, subscription: Subscription, view: dict[str, Any]) -> None:
    """One frame of an open-contract stream."""
    body = {**view, "id": subscription.subscription_id}
    venue.send(connection, {**subscription.head, "proposal_open_contract": body})


def purchase(venue: Venue, account: Account, contract: OpenContract) -> CashRow:
    """Book a purchase: debit, statement row, open position. Says nothing yet."""
    row = account.book(contract.buy_id, "buy", -contract.price.ask, venue.epoch, contract)
    account.contracts[contract.contract_id] = contract
    account.open[contract.contract_id] = contract
    venue.open_by_symbol.setdefault(contract.terms.symbol.name, {})[contract.contract_id] = contract
    return row


def reset(venue: Venue, account: Account, balance: Decimal) -> None:
    """Bring an account's cash back to ``balance`` by a deposit or a withdrawal."""
    change = balance - account.balance
    if change:
        row = account.book(venue.new_transaction_id(), "deposit" if change > 0 else "withdrawal", change, venue.epoch)
        cash_moved(venue, account, row)
