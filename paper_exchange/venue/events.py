"""The log of what really happened, complete and in order, to compare a client's books with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from paper_exchange.errors import CallError
from paper_exchange.money import text
from paper_exchange.venue.accounts import Account, CashRow

ORDERS = frozenset({"buy", "sell", "cancel", "contract_update"})
"""Calls that change what an account holds; their arrival and refusal are logged."""

Event = dict[str, Any]


class Events:
    """Everything that touched an account, and every fault.

    Kinds: ``received`` and ``refused`` (an order, as the venue saw it), ``booked``, ``settled`` and ``cash`` (a row of
    the books), ``opened`` and ``closed`` (a socket), ``fault``.

    Args:
        now: venue epoch.

    Attributes:
        log: all events, oldest first; each has ``epoch`` and ``kind``.
        sink: called with each event as it happens.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.log: list[Event] = []
        self.sink: Callable[[Event], None] | None = None

    def record(self, kind: str, **facts: Any) -> Event:
        """Note one event."""
        event = {"epoch": self._now(), "kind": kind, **facts}
        self.log.append(event)
        if self.sink is not None:
            self.sink(event)
        return event

    def received(self, number: int, name: str, request: dict[str, Any]) -> None:
        """A well-formed call reached the venue."""
        if name in ORDERS:
            self.record("received", connection=number, call=name, of=request[name], req_id=request.get("req_id"))

    def refused(self, number: int, name: str, request: dict[str, Any], error: CallError) -> None:
        """A call was refused. Malformed ones are not logged, so that a flood of them does not fill the memory."""
        if name in ORDERS and error.code != "InputValidationFailed":
            self.record("refused", connection=number, call=name, code=error.code, req_id=request.get("req_id"))

    def moved(self, account: Account, row: CashRow) -> None:
        """A row was written into an account's books."""
        facts: Event = {
            "account_id": account.account_id,
            "transaction_id": row.transaction_id,
            "amount": text(row.amount),
            "balance": text(row.balance),
        }
        if row.contract is None:
            self.record("cash", action=row.action, **facts)
            return
        facts["contract_id"] = row.contract.contract_id
        if row.action == "buy":
            facts |= {"payout": text(row.contract.price.payout), "shortcode": row.contract.shortcode}
            self.record("booked", **facts)
        else:
            self.record("settled", action=row.action, status=row.contract.status, **facts)
