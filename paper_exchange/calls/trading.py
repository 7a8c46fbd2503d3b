"""Calls that price and trade: proposal, buy, sell."""

from __future__ import annotations

from decimal import Decimal

from paper_exchange.accounts import Account
from paper_exchange.connections import PROPOSAL_SECONDS, Connection, Frame, Proposal
from paper_exchange.errors import CallError
from paper_exchange.faults import HOLD_BUY_ANSWER
from paper_exchange.money import number, spot, text
from paper_exchange.open_contract import OpenContract
from paper_exchange.pricing import MAX_PAYOUT, MIN_STAKE, Price, quote
from paper_exchange.streams import cash_moved, contract_moved, purchase
from paper_exchange.terms import Terms, parse_terms
from paper_exchange.venue import Venue

MAX_OPEN = 100
"""Open contracts an account may hold."""


def proposal(venue: Venue, connection: Connection, request: Frame) -> None:
    """A price, to be bought once on this connection.

    At-the-money prices of the volatility indices are constant, so a subscription is opened but sends nothing more,
    as on Deriv.
    """
    currency = connection.account.currency if connection.account else "USD"
    terms = parse_terms(request, venue.symbols, venue.epoch, currency)
    spot_time, last = venue.last_tick(terms.symbol.name)
    price = quote(terms, last, venue.epoch, venue.commission(connection))
    stream = None
    if "subscribe" in request:
        key = ("proposal", *sorted((k, str(v)) for k, v in request.items() if k not in ("req_id", "passthrough")))
        stream = venue.subscribe(connection, request, "proposal", key, "proposal", "proposal")
    proposal_id = stream.subscription_id if stream else venue.new_id("proposal")
    connection.remember(
        Proposal(proposal_id, terms, price.ask, price.payout, venue.epoch, stream.subscription_id if stream else None)
    )
    step = terms.symbol.tick_seconds
    end = terms.fixed_end or venue.epoch + int(terms.life_seconds(venue.epoch))
    body = {
        "ask_price": number(price.ask),
        "contract_details": {"barrier": terms.symbol.format(last)},
        "date_expiry": end + step if terms.contract.in_ticks else end,
        "date_start": venue.epoch,
        "id": proposal_id,
        "longcode": terms.longcode,
        "payout": number(price.payout),
        "spot": spot(last),
        "spot_time": spot_time,
        "validation_params": {"payout": {"max": text(MAX_PAYOUT)}, "stake": {"min": text(MIN_STAKE)}},
    }
    venue.reply(connection, request, "proposal", body, subscription=stream)


def buy(venue: Venue, connection: Connection, request: Frame) -> None:
    """Buy a price given on this connection, or with ``"1"`` the contract in ``parameters``.

    The contract starts now, whatever the quote's time was. Answer, cash movement and contract follow in this order.
    """
    account = connection.account
    assert account is not None
    terms = _terms_to_buy(venue, connection, account, request)
    contract = terms.at(venue.epoch)
    spot_time, last = venue.last_tick(terms.symbol.name)
    price = quote(terms, last, venue.epoch, account.commission)
    limit = Decimal(str(request["price"]))
    if price.ask > limit:
        raise CallError(
            "PriceMoved",
            "The underlying market has moved too much since you priced the contract. "
            f"The contract price has changed from {account.currency} {limit} to {account.currency} {text(price.ask)}.",
        )
    _check_account(account, price)
    bought = OpenContract(
        contract_id=venue.new_contract_id(),
        buy_id=venue.new_transaction_id(),
        account_id=account.account_id,
        terms=terms,
        contract=contract,
        price=price,
        commission=account.commission,
        start=venue.epoch,
        spot=last,
        spot_time=spot_time,
    )
    stream = None
    if "subscribe" in request:
        # Before the booking: a subscription too many must refuse the purchase, not follow it.
        kind = "proposal_open_contract"
        key = (kind, bought.contract_id)
        stream = venue.subscribe(connection, request, kind, key, kind, kind, contract_id=bought.contract_id)
    _use_up(venue, connection, request["buy"])
    row = purchase(venue, account, bought)
    if venue.faults.holds_this_buy():
        connection.silent = True
        venue.faults.record(
            HOLD_BUY_ANSWER, epoch=venue.epoch, contract_id=bought.contract_id, account_id=account.account_id
        )
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
    cash_moved(venue, account, row)
    contract_moved(venue, bought)


def _terms_to_buy(venue: Venue, connection: Connection, account: Account, request: Frame) -> Terms:
    if request["buy"] == "1":
        if "parameters" not in request:
            raise CallError("InvalidContractProposal", "Missing required contract parameters.")
        return parse_terms(request["parameters"], venue.symbols, venue.epoch, account.currency)
    offered = connection.proposals.get(request["buy"])
    # A subscribed price stays good while the subscription lives; a single one ages.
    if offered is None or (offered.subscription_id is None and venue.epoch - offered.epoch > PROPOSAL_SECONDS):
        raise CallError("InvalidContractProposal", "Unknown contract proposal")
    return offered.terms


def _use_up(venue: Venue, connection: Connection, proposal_id: str) -> None:
    """A price is bought once; its subscription ends with it."""
    offered = connection.proposals.pop(proposal_id, None)
    if offered is not None and offered.subscription_id is not None:
        venue.forget(connection, offered.subscription_id)


def _check_account(account: Account, price: Price) -> None:
    if len(account.open) >= MAX_OPEN:
        raise CallError("OpenPositionLimit", f"You cannot hold more than {MAX_OPEN} open contracts.")
    if price.ask > account.balance:
        raise CallError(
            "InsufficientBalance",
            f"Your account balance ({text(account.balance)} {account.currency}) is insufficient to buy this contract "
            f"({text(price.ask)} {account.currency}).",
        )


def sell(venue: Venue, connection: Connection, request: Frame) -> None:
    """Resale is not offered on any contract of this exchange; says why for the contract that was named."""
    assert connection.account is not None
    contract = connection.account.contracts.get(request["sell"])
    if contract is None:
        raise CallError("InvalidSellContractProposal", "Unknown contract sell proposal")
    if contract.sold_for is not None:
        raise CallError("ContractAlreadySold", "This contract has been sold.")
    raise CallError("ResaleNotOffered", "Resale of this contract is not offered.")
