"""Calls that price and buy: proposal, buy."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.contracts.pricing import Price
from paper_exchange.contracts.terms import Terms, check_hours
from paper_exchange.errors import CallError
from paper_exchange.money import number, text
from paper_exchange.protocol.frames import Frame
from paper_exchange.trading.bookings import book_purchase
from paper_exchange.trading.notices import contract_stream, notify_cash, notify_contract
from paper_exchange.trading.quotes import price_moves, price_now, proposal_body, read_terms, remember
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.connections import Connection, Proposal, Stream
from paper_exchange.venue.state import Venue

MAX_OPEN = 100
"""Open contracts an account may hold."""

MAX_OPEN_PAYOUT = Decimal("100000.00")
"""Sum of the payouts of an account's open contracts."""


def proposal(venue: Venue, connection: Connection, request: Frame) -> None:
    """A price, to be bought once on this connection.

    Prices that never move open a subscription that sends nothing more, as on Deriv; the others follow every tick.
    """
    currency = connection.account.currency if connection.account else "USD"
    terms = read_terms(venue, request, currency)
    spot_time, last = venue.last_tick(terms.symbol.name)
    price = price_now(venue, terms, last, venue.commission(connection, terms))
    stream = None
    if "subscribe" in request:
        asked = tuple(sorted((k, str(v)) for k, v in request.items() if k not in ("req_id", "passthrough")))
        follows = terms.symbol.name if price_moves(terms) else None
        stream = venue.subscribe(connection, request, Stream("proposal", asked, symbol=follows))
    proposal_id = stream.subscription_id if stream else venue.new_id("proposal")
    remember(venue, connection, proposal_id, terms, price, stream)
    body = proposal_body(venue, terms, price, proposal_id, spot_time, last)
    venue.reply(connection, request, "proposal", body, subscription=stream)


def buy(venue: Venue, connection: Connection, account: Account, request: Frame) -> None:
    """Buy a price given on this connection, or with ``"1"`` the contract in ``parameters``.

    The contract starts now and at the current price, not at the quote's. Answer, cash movement and contract
    follow in this order.
    """
    terms, offered = _terms_to_buy(venue, connection, account, request)
    if venue.finished or venue.maintenance.until(venue.epoch) is not None:
        raise CallError("MarketIsClosed", "This market is presently closed.")
    check_hours(terms, venue.epoch)
    spot_time, last = venue.last_tick(terms.symbol.name)
    commission = venue.commission(connection, terms)
    try:
        price = price_now(venue, terms, last, commission)
    except CallError as error:
        if error.code == "PayoutLimits":
            raise CallError("InvalidtoBuy", error.message, error.details, args=error.code_args) from None
        raise
    _check_price(venue, account, terms, price, offered, commission, Decimal(str(request["price"])))
    _check_account(account, price)
    bought = OpenContract(
        contract_id=venue.new_contract_id(),
        buy_id=venue.new_transaction_id(),
        account_id=account.account_id,
        terms=terms,
        contract=terms.at(venue.epoch, last),
        price=price,
        commission=commission,
        start=venue.epoch,
        spot=last,
        spot_time=spot_time,
    )
    stream = None
    if "subscribe" in request:
        # Before the booking: a subscription that is refused must refuse the purchase as well.
        stream = venue.subscribe(connection, request, contract_stream(bought.contract_id))
    _use_up(venue, connection, request["buy"])
    row = book_purchase(venue, account, bought)
    body = {
        "balance_after": number(row.balance),
        "buy_price": number(price.ask),
        "contract_id": bought.contract_id,
        "longcode": bought.longcode,
        "payout": number(price.payout),
        "purchase_time": bought.start,
        "shortcode": bought.shortcode,
        "start_time": bought.start,
        "transaction_id": bought.buy_id,
    }
    bought.answered = venue.reply(connection, request, "buy", body, subscription=stream)
    notify_cash(venue, account, row)
    notify_contract(venue, bought)


def _terms_to_buy(
    venue: Venue, connection: Connection, account: Account, request: Frame
) -> tuple[Terms, Proposal | None]:
    """What is bought, and the price it was offered at; None for a contract bought without a quote."""
    if request["buy"] == "1":
        if "parameters" not in request:
            raise CallError("InvalidContractProposal", "Missing required contract parameters.")
        return read_terms(venue, request["parameters"], account.currency), None
    offered = connection.proposals.get(request["buy"])
    # A subscribed price stays good while the subscription lives; a single one ages.
    life = int(venue.assumes("proposal_life"))
    if offered is None or offered.used or (offered.subscription_id is None and venue.epoch - offered.epoch > life):
        raise CallError("InvalidContractProposal", "Unknown contract proposal")
    return offered.terms.restamped(venue.epoch), offered


def _check_price(
    venue: Venue,
    account: Account,
    terms: Terms,
    price: Price,
    offered: Proposal | None,
    commission: float,
    limit: Decimal,
) -> None:
    """Refuse a price the client did not agree to: above its limit, or too far from the quote."""
    if price.ask > limit:
        raise CallError("PriceMoved", _moved(account, "price", limit, price.ask))
    if offered is None:
        return
    tolerance = commission / 2 if venue.assumes("price_tolerance") == "half" else 0.0
    if price.probability - offered.probability <= tolerance:
        return
    if terms.basis == "stake":
        raise CallError("PriceMoved", _moved(account, "payout", offered.payout, price.payout))
    raise CallError("PriceMoved", _moved(account, "price", offered.ask, price.ask))


def _moved(account: Account, what: str, before: Decimal, after: Decimal) -> str:
    return (
        "The underlying market has moved too much since you priced the contract. "
        f"The contract {what} has changed from {text(before)} {account.currency} to {text(after)} {account.currency}."
    )


def _use_up(venue: Venue, connection: Connection, proposal_id: str) -> None:
    """Take back a price that was bought. Its subscription ends, or goes on with the next price."""
    offered = connection.proposals.pop(proposal_id, None)
    if offered is None or offered.subscription_id is None:
        return
    if venue.assumes("proposal_stream_after_buy") == "ends":
        venue.forget(connection, offered.subscription_id)
    else:
        connection.remember(replace(offered, used=True))


def _check_account(account: Account, price: Price) -> None:
    if len(account.open) >= MAX_OPEN:
        raise CallError(
            "OpenPositionLimit",
            f"Sorry, you cannot hold more than {MAX_OPEN} contracts at a given time. "
            "Please wait until some contracts have closed and try again.",
            args=(str(MAX_OPEN),),
        )
    if price.payout + sum(contract.price.payout for contract in account.open.values()) > MAX_OPEN_PAYOUT:
        raise CallError(
            "OpenPositionPayoutLimit",
            "Sorry, the aggregate payouts of contracts on your account cannot exceed "
            f"{account.currency} {text(MAX_OPEN_PAYOUT)}.",
            args=(account.currency, text(MAX_OPEN_PAYOUT)),
        )
    if price.ask > account.balance:
        raise CallError(
            "InsufficientBalance",
            f"Your account balance ({text(account.balance)} {account.currency}) is insufficient to buy this contract "
            f"({text(price.ask)} {account.currency}).",
        )
