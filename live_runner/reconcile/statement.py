"""Reading the account's cash movements completely, page by page."""

from __future__ import annotations

from live_runner.ledger import CashRow
from live_runner.venue.client import ReadingClient
from xtitan_core.deriv import requests
from xtitan_core.deriv.errors import FrameError
from xtitan_core.deriv.records import StatementRow, Transaction

PAGE = 200
"""Statement rows per request; with descriptions they stay well below the trading socket's frame limit."""
AHEAD_S = 60
"""How far past the venue's time to read, so that rows booked while reading are not cut off."""


def cash_row(row: Transaction | StatementRow) -> CashRow:
    """A row of the stream or the statement as the ledger books it."""
    if isinstance(row, Transaction):
        balance, shortcode, payout = row.balance_cents, None, None
    else:
        balance, shortcode, payout = row.balance_after_cents, row.shortcode, row.payout_cents
    return CashRow(
        transaction_id=row.transaction_id,
        action=row.action,
        contract_id=row.contract_id,
        amount_cents=row.amount_cents,
        balance_cents=balance,
        time=row.transaction_time,
        shortcode=shortcode,
        payout_cents=payout,
    )


async def read_statement(client: ReadingClient, date_from: int, venue_now: int) -> list[CashRow]:
    """All rows since ``date_from``, once each.

    Pages end where the oldest row of the page before began, never at an offset: rows that arrive meanwhile would
    shift an offset and hide one.

    Raises:
        FrameError: when one second holds more rows than a page.
    """
    rows: dict[int, CashRow] = {}
    date_to = venue_now + AHEAD_S
    while True:
        frame = await client.request(requests.statement(date_from, date_to, limit=PAGE))
        page = [cash_row(r) for r in StatementRow.list_from_frame(frame)]
        rows |= {r.transaction_id: r for r in page}
        if len(page) < PAGE:
            return list(rows.values())
        oldest = min(r.time for r in page)
        if oldest + 1 >= date_to:
            raise FrameError(f"more than {PAGE} statement rows in second {oldest}")
        date_to = oldest + 1
