"""Calls about the account's money: statement, transaction, balance."""

from __future__ import annotations

from typing import Any

from paper_exchange.money import number
from paper_exchange.protocol.frames import Frame
from paper_exchange.trading.notices import balance_body
from paper_exchange.venue.accounts import Account, CashRow
from paper_exchange.venue.connections import Connection, Stream
from paper_exchange.venue.state import Venue


def statement(venue: Venue, connection: Connection, account: Account, request: Frame) -> None:
    """Cash movements of ``[date_from, date_to)``, newest first."""
    action = request.get("action_type")
    begin, end = request.get("date_from", 0), request.get("date_to", 10**10)
    offset, limit = request.get("offset", 0), int(request.get("limit", 100))
    rows: list[dict[str, Any]] = []
    for row in venue.hooks.rows(account, request):
        if row.time < begin:
            break  # all that follow are older
        if row.time >= end or (action is not None and row.action != action):
            continue
        if offset:
            offset -= 1
            continue
        if len(rows) == limit:
            break
        rows.append(_statement_row(row, connection.app_id, described=request.get("description") == 1))
    venue.reply(connection, request, "statement", {"count": len(rows), "transactions": rows})


def _statement_row(row: CashRow, app_id: int | None, *, described: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "action_type": row.action,
        "amount": number(row.amount),
        # Not in Deriv's schema, yet on every live row.
        "app_id": app_id,
        "balance_after": number(row.balance),
        "contract_id": row.contract.contract_id if row.contract else None,
        "payout": number(row.contract.price.payout) if row.contract else None,
        "reference_id": row.reference_id,
        "transaction_id": row.transaction_id,
        "transaction_time": row.time,
    }
    if row.contract is not None:
        if row.action == "sell":
            body["purchase_time"] = row.contract.start
        if described:
            body |= {"longcode": row.contract.longcode, "shortcode": row.contract.shortcode}
    return body


def transaction(venue: Venue, connection: Connection, account: Account, request: Frame) -> None:
    """Open the stream of cash movements; the first frame carries nothing but its id."""
    stream = venue.subscribe(connection, request, Stream("transaction"))
    venue.reply(connection, request, "transaction", {"id": stream.subscription_id}, subscription=stream)


def balance(venue: Venue, connection: Connection, account: Account, request: Frame) -> None:
    """The balance, and every change of it with ``subscribe: 1``."""
    body = balance_body(account)
    stream = None
    if request.get("subscribe") == 1:
        stream = venue.subscribe(connection, request, Stream("balance"))
        body["id"] = stream.subscription_id
    venue.reply(connection, request, "balance", body, subscription=stream)
