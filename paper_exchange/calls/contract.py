"""Calls about bought contracts: proposal_open_contract, portfolio, profit_table."""

from __future__ import annotations

from datetime import UTC, datetime

from paper_exchange.connections import Connection, Frame
from paper_exchange.errors import CallError
from paper_exchange.streams import send_view, view_of
from paper_exchange.venue import Venue
from paper_exchange.views import portfolio_row, profit_row

_CALL = "proposal_open_contract"


def proposal_open_contract(venue: Venue, connection: Connection, request: Frame) -> None:
    """One contract, or all open ones; with ``subscribe`` every change as well.

    Without a contract id the stream also follows contracts bought later; with nothing open the answer is an empty
    object.
    """
    account = connection.account
    assert account is not None
    contract_id = request.get("contract_id")
    if contract_id is not None and contract_id not in account.contracts:
        raise CallError("ContractNotFound", "Contract not found for contract_id.", {"field": "contract_id"})
    shown = list(account.open.values()) if contract_id is None else [account.contracts[contract_id]]
    stream = None
    # A contract that is over sends nothing more, so there is nothing to subscribe to.
    if "subscribe" in request and (contract_id is None or shown[0].sold_for is None):
        stream = venue.subscribe(
            connection, request, _CALL, (_CALL, contract_id), _CALL, _CALL, contract_id=contract_id
        )
    if not shown:
        venue.reply(connection, request, _CALL, {}, subscription=stream)
    for contract in shown:
        view = view_of(venue, contract)
        if stream is None:
            venue.reply(connection, request, _CALL, view)
        else:
            send_view(venue, connection, stream, view)


def portfolio(venue: Venue, connection: Connection, request: Frame) -> None:
    """The open contracts, oldest first."""
    assert connection.account is not None
    kinds = request.get("contract_type")
    rows = [
        portfolio_row(contract)
        for contract in connection.account.open.values()
        if kinds is None or str(contract.contract.contract_type) in kinds
    ]
    venue.reply(connection, request, "portfolio", {"contracts": rows})


def profit_table(venue: Venue, connection: Connection, request: Frame) -> None:
    """The closed contracts bought in ``[date_from, date_to]``, newest first unless asked otherwise."""
    assert connection.account is not None
    kinds = request.get("contract_type")
    begin = _epoch(request.get("date_from", "0"), end_of_day=False)
    end = _epoch(request.get("date_to", "9999999999"), end_of_day=True)
    closed = [
        contract
        for contract in connection.account.contracts.values()
        if contract.sold_for is not None
        and begin <= contract.start <= end
        and (kinds is None or str(contract.contract.contract_type) in kinds)
    ]
    if request.get("sort", "DESC") == "DESC":
        closed.reverse()
    offset = request.get("offset", 0)
    page = closed[offset : offset + int(request.get("limit", 50))]
    rows = [profit_row(contract, described=request.get("description") == 1) for contract in page]
    venue.reply(connection, request, "profit_table", {"count": len(rows), "transactions": rows})


def _epoch(text: str, *, end_of_day: bool) -> int:
    if text.isdigit():
        return int(text)
    try:
        year, month, day = map(int, text.split("-"))
        midnight = int(datetime(year, month, day, tzinfo=UTC).timestamp())
    except ValueError:
        raise CallError(
            "InputValidationFailed", "Input validation failed: date", {"date": f"No date: {text}."}
        ) from None
    return midnight + 86_399 if end_of_day else midnight
