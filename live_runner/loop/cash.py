"""What moves money: cash rows of the transaction stream, and answers to purchases that came too late."""

from __future__ import annotations

import logging
from typing import Any

from live_runner.buying.gate import Gate
from live_runner.journal.bookkeeping import Bookkeeping
from live_runner.ledger import Booked
from live_runner.reconcile.statement import cash_row
from live_runner.venue.client import VenueClient
from xtitan_core.deriv.records import Transaction

_log = logging.getLogger("live_runner")


class CashHandler:
    """Books cash rows and journals the contracts they settle."""

    def __init__(self, gate: Gate, bookkeeping: Bookkeeping) -> None:
        self._gate, self._bookkeeping = gate, bookkeeping

    def handle(self, client: VenueClient, frame: dict[str, Any]) -> None:
        """One ``transaction`` frame.

        Raises:
            FrameError: when the frame cannot be read.
            LedgerFaultError: the ledger failed, or the row contradicts it; the runner must end.
        """
        row = Transaction.from_frame(frame)
        if row is None:
            return
        booking = self._gate.book(cash_row(row))
        if booking.result is Booked.GAP:
            _log.warning("transaction %d does not follow the last one; reading the statement", row.transaction_id)
        if booking.settled is not None:
            self._bookkeeping.note(booking.settled)

    def late_answer(self, client: VenueClient, frame: dict[str, Any]) -> None:
        """A ``buy`` frame that comes after the wait for it ended: the statement is read to find out what was bought."""
        _log.warning("the answer to a purchase came after we had stopped waiting; reading the statement")
        self._gate.disarm()
