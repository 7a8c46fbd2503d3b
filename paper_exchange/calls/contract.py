"""Calls about bought contracts: proposal_open_contract, portfolio, profit_table."""

from __future__ import annotations

from datetime import UTC, datetime

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.contracts.views import portfolio_row, profit_row, shown_type
from paper_exchange.errors import CallError
from paper_exchange.protocol.frames import Frame
from paper_exchange.trading.notices import contract_stream, send_view
from paper_exchange.trading.positions import own_names, view_of
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue
from xtitan_core.clock import DAY

_CALL = "proposal_open_contract"


def proposal_open_contract(venue: Venue, connection: Connection, account: Account, request: Frame) -> None:
    """One contract, or all open ones; with ``subscribe`` every change as well.

    Without a contract id the stream also follows contracts bought later; with nothing open the answer is an empty
    object.
    """
    contract_id = request.get("contract_id")
    if contract_id is not None and contract_id not in account.contracts:
        raise CallError("ContractNotFound", "Contract not found for contract_id.", {"field": "contract_id"})
    shown = list(account.open.values()) if contract_id is None else [account.contracts[contract_id]]
    stream = None
    # A contract that is over sends nothing more, so there is nothing to subscribe to.
    if "subscribe" in request and (contract_id is None or shown[0].sold_for is None):
        stream = venue.subscribe(connection, request, contract_stream(contract_id))
    if not shown:
        venue.reply(connection, request, _CALL, {}, subscription=stream)
    for contract in shown:
        view = view_of(venue, contract)
        if stream is None:
            venue.reply(connection, request, _CALL, view)
        else:
            send_view(venue, connection, stream, view)


def portfolio(venue: Venue, connection: Connection, account: Account, request: Frame) -> None:
    """The open contracts, oldest first."""
    shown = venue.hooks.positions(account, "portfolio")
    names = own_names(venue)
    rows = [portfolio_row(contract, own_names=names) for contract in shown if _of_type(contract, request)]
    venue.reply(connection, request, "portfolio", {"contracts": rows})


def profit_table(venue: Venue, connection: Connection, account: Account, request: Frame) -> None:
    """The closed contracts of ``[date_from, date_to)``, newest first unless asked otherwise.

    A day as ``date_to`` is included, an epoch is not, as in the statement. Which contracts are on a page is decided
    after sorting.
    """
    shown = venue.hooks.positions(account, "profit_table")
    begin = _epoch(request.get("date_from", "0"))
    end = _epoch(request.get("date_to", "9999999999"), after_day=True)
    by_sale = venue.assumes("profit_table_by") == "sale"
    closed = [
        (contract.sell_time if by_sale else contract.start, contract)
        for contract in shown
        if contract.sold_for is not None and contract.sell_time is not None and _of_type(contract, request)
    ]
    rows = [contract for time, contract in sorted(closed, key=lambda pair: pair[0]) if begin <= time < end]
    if request.get("sort", "DESC") == "DESC":
        rows.reverse()
    offset = request.get("offset", 0)
    page = rows[offset : offset + int(request.get("limit", 50))]
    described, names = request.get("description") == 1, own_names(venue)
    table = [profit_row(contract, described=described, own_names=names) for contract in page]
    venue.reply(connection, request, "profit_table", {"count": len(table), "transactions": table})


def _of_type(contract: OpenContract, request: Frame) -> bool:
    """Whether a contract is of the types asked for, by its own name or the one it is shown with."""
    wanted = request.get("contract_type")
    return wanted is None or bool({shown_type(contract, own_names=own) for own in (True, False)} & set(wanted))


def _epoch(text: str, *, after_day: bool = False) -> int:
    if text.isdigit():
        return int(text)
    try:
        year, month, day = map(int, text.split("-"))
        midnight = int(datetime(year, month, day, tzinfo=UTC).timestamp())
    except ValueError:
        raise CallError(
            "InputValidationFailed", "Input validation failed: date", {"date": f"No date: {text}."}
        ) from None
    return midnight + DAY if after_day else midnight
