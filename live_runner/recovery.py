"""Making ledger and venue agree: one code path for the first start, every restart and every reconnect.

``recover`` reads the venue's records once, books what is new, resolves what can be resolved and says whether trading
may go on. It never waits: when evidence needs time, it returns and is called again. It reads only; nothing here can
buy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from live_runner.binding import CONFIRM_S, TOMBSTONE_S, Proof, in_chain_order, judge, matches
from live_runner.latch import KillLatch
from live_runner.ledger import CashRow, Intent, IntentState, Ledger, LedgerError, LedgerFaultError, Receipt
from live_runner.limits import Limits
from xtitan_core.deriv import requests
from xtitan_core.deriv.errors import DerivClientError, FrameError
from xtitan_core.deriv.protocol import Balance
from xtitan_core.deriv.records import PortfolioContract, StatementRow, Transaction

OVERLAP_S = 3_600
"""How far before the last booked row the statement is read again."""
PAGE = 200
"""Statement rows per request; with descriptions they stay well below the trading socket's frame limit."""
PATIENCE_S = 60.0
"""Venue seconds that ledger and venue may disagree (the statement lags) before the runner halts."""


class RecoveryError(Exception):
    """The venue is not the one this ledger belongs to; one line that says what to do."""


class ReadingClient(Protocol):
    """What recovery needs of ``xtitan_core.deriv.client.DerivClient``."""

    generation: int
    closed: asyncio.Event

    async def request(self, payload: Mapping[str, Any], timeout: float = ...) -> dict[str, Any]: ...  # noqa: ASYNC109


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What one pass of recovery found.

    Attributes:
        ready: ledger and venue agree and no intent is unresolved; hand the report to ``Gate.arm``.
        generation: the connection it was read on.
        waiting: why it is not ready, one line each; call again after a few venue seconds.
        halted: why this pass halted the runner.
        bound, not_bought, abandoned, settled, late: intents that this pass moved.
        balance_cents: the account's balance.
        skew_s: venue time minus ours, at least; the venue's clock has whole seconds.
    """

    ready: bool
    generation: int
    waiting: tuple[str, ...] = ()
    halted: str | None = None
    bound: tuple[Intent, ...] = ()
    not_bought: tuple[Intent, ...] = ()
    abandoned: tuple[Intent, ...] = ()
    settled: tuple[Intent, ...] = ()
    late: tuple[Intent, ...] = ()
    balance_cents: int | None = None
    skew_s: float = 0.0


@dataclass
class _Pass:
    """One pass's findings, while it runs."""

    waiting: list[str] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)
    halted: str | None = None
    bound: list[Intent] = field(default_factory=list)
    not_bought: list[Intent] = field(default_factory=list)
    abandoned: list[Intent] = field(default_factory=list)
    settled: list[Intent] = field(default_factory=list)
    late: list[Intent] = field(default_factory=list)
    balance_cents: int | None = None
    skew_s: float = 0.0


def cash_row(row: Transaction | StatementRow) -> CashRow:
    """A row of the stream or the statement as the ledger books it."""
    statement = isinstance(row, StatementRow)
    return CashRow(
        transaction_id=row.transaction_id,
        action=row.action,
        contract_id=row.contract_id,
        amount_cents=row.amount_cents,
        balance_cents=row.balance_after_cents if statement else row.balance_cents,
        time=row.transaction_time,
        shortcode=row.shortcode if statement else None,
        payout_cents=row.payout_cents if statement else None,
    )


async def recover(
    client: ReadingClient,
    ledger: Ledger,
    latch: KillLatch,
    limits: Limits,
    now: float,
    *,
    adopt_history: bool = False,
) -> RecoveryReport:
    """One pass. Call it after every connect, whenever the gate is not armed, and while anything is unresolved.

    Args:
        client: an open connection to the account.
        ledger: the account's ledger.
        latch: halted when venue and ledger contradict each other.
        limits: for the allowed clock skew.
        now: our idea of the venue's time.
        adopt_history: on the first start, accept purchases of the last day that this ledger does not know.

    Raises:
        RecoveryError: another account, currency, or exchange session than the ledger's.
        LedgerFaultError: storage failed, or a row contradicts the ledger; the latch is halted, exit non-zero.
    """
    found = _Pass()
    try:
        await _pass(client, ledger, latch, limits, now, adopt_history, found)
    except (DerivClientError, FrameError) as error:
        # A partial read proves nothing: stay closed and read again.
        found.waiting.append(f"the venue's records could not be read: {error}")
    except LedgerError as error:
        latch.halt(f"ledger: {error}", "recovery")
        raise error if isinstance(error, LedgerFaultError) else LedgerFaultError(str(error)) from error
    unresolved = [] if ledger.fresh else ledger.unresolved()
    found.waiting += [f"intent {i.intent_id} is {i.state.value}" for i in unresolved]
    return RecoveryReport(
        ready=not found.waiting and not found.disagreements,
        generation=client.generation,
        waiting=tuple(found.waiting + found.disagreements),
        halted=found.halted,
        bound=tuple(found.bound),
        not_bought=tuple(found.not_bought),
        abandoned=tuple(found.abandoned),
        settled=tuple(found.settled),
        late=tuple(found.late),
        balance_cents=found.balance_cents,
        skew_s=found.skew_s,
    )


async def _pass(
    client: ReadingClient,
    ledger: Ledger,
    latch: KillLatch,
    limits: Limits,
    now: float,
    adopt_history: bool,
    found: _Pass,
) -> None:
    _close_earlier_runs(ledger, now, found)
    venue_now = int((await client.request(requests.time()))["time"])
    found.skew_s = venue_now - now
    if not -limits.max_skew_s - 1.0 <= found.skew_s <= limits.max_skew_s:
        found.waiting.append(f"our clock differs from the venue's by {found.skew_s:.1f} s; check time synchronisation")
    balance = await _balance(client, ledger)
    if ledger.fresh:
        await _begin(client, ledger, latch, balance, venue_now, adopt_history, found)
        if ledger.fresh:
            return
    last = ledger.last_row()
    if last is not None and venue_now < last.time:
        raise RecoveryError(
            f"the venue's time {venue_now} lies before the ledger's last row ({last.time}): this state folder belongs "
            "to another exchange session; use another one"
        )
    rows = await _statement(client, _read_from(ledger), venue_now)
    complete = _book(ledger, rows, now, found)
    if last is not None and all(row.transaction_id != last.transaction_id for row in rows):
        found.disagreements.append(f"the statement lacks transaction {last.transaction_id}, which is booked")
        complete = False
    if ledger.balance_cents() != balance.balance_cents:
        balance = await _balance(client, ledger)  # something may have settled while the statement was read
    found.balance_cents = balance.balance_cents
    if ledger.balance_cents() != balance.balance_cents:
        found.disagreements.append(
            f"the account holds {balance.balance_cents} cents, the ledger {ledger.balance_cents()}"
        )
        complete = False
    _resolve(client, ledger, latch, {r.transaction_id: r for r in rows}, venue_now, now, complete, found)
    await _compare_open(client, ledger, found)
    _be_patient(ledger, latch, now, found)


def _close_earlier_runs(ledger: Ledger, now: float, found: _Pass) -> None:
    """What an earlier run left in the middle. Intents of this run are the gate's own to finish."""
    for intent in ledger.prepared():
        if intent.epoch < ledger.epoch:  # no SENT row: the frame was never written
            found.abandoned.append(ledger.abandon(intent.intent_id, "the runner stopped before sending", now))
    for intent in ledger.unresolved():
        if intent.state is IntentState.SENT and intent.epoch < ledger.epoch:
            ledger.unknown(intent.intent_id, "the runner stopped before the answer", now)


async def _balance(client: ReadingClient, ledger: Ledger) -> Balance:
    balance = Balance.from_frame(await client.request(requests.balance()))
    if balance.loginid != ledger.account_id:
        raise RecoveryError(
            f"the connection is for account {balance.loginid}, the ledger for {ledger.account_id}; check the account id"
        )
    if not ledger.fresh and ledger.opening()[1] != balance.currency:
        raise RecoveryError(
            f"the account holds {balance.currency}, the ledger {ledger.opening()[1]}; use another state folder"
        )
    return balance


async def _begin(
    client: ReadingClient,
    ledger: Ledger,
    latch: KillLatch,
    balance: Balance,
    venue_now: int,
    adopt_history: bool,
    found: _Pass,
) -> None:
    """Record the opening balance; the newest statement row must carry it, or the next pass tries again."""
    rows = await _statement(client, venue_now - int(TOMBSTONE_S), venue_now)
    newest = max(rows, key=lambda r: (r.time, r.transaction_id), default=None)
    if newest is not None and newest.balance_cents != balance.balance_cents:
        found.waiting.append("the balance moved while the statement was read")
        return
    time = venue_now if newest is None else newest.time
    prior = [r.transaction_id for r in rows if r.time >= time]
    ledger.begin(balance.balance_cents, balance.currency, time, prior, venue_now)
    bought = sum(r.action == "buy" for r in rows)
    if bought and not adopt_history:
        found.halted = (
            f"{bought} purchases of the last day are not in this new ledger, so the day's losses are unknown; "
            "if the account is right, resume"
        )
        latch.halt(found.halted, "recovery")


def _read_from(ledger: Ledger) -> int:
    """Where to start reading the statement: an hour before the last row, and before anything unresolved was sent."""
    opened = ledger.opening()[2]
    last = ledger.last_row()
    start = opened if last is None else last.time - OVERLAP_S
    sent = [int(i.sent_at) - OVERLAP_S for i in ledger.unresolved() if i.sent_at is not None]
    return max(opened, min([start, *sent]))


async def _statement(client: ReadingClient, date_from: int, venue_now: int) -> list[CashRow]:
    """All rows since ``date_from``, once each.

    Pages end where the oldest row of the page before began, never at an offset: rows that arrive meanwhile would
    shift an offset and hide one.

    Raises:
        FrameError: when one second holds more rows than a page.
    """
    rows: dict[int, CashRow] = {}
    date_to = venue_now + int(PATIENCE_S)
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


def _book(ledger: Ledger, rows: list[CashRow], now: float, found: _Pass) -> bool:
    """Book the new rows; False when one in between is missing."""
    booked = {r.transaction_id for r in ledger.rows_since(min((r.time for r in rows), default=0))}
    fresh = [r for r in rows if r.transaction_id not in booked and not ledger.is_prior(r)]
    known = [r for r in rows if r.transaction_id in booked]
    ordered, leftover = in_chain_order(fresh, ledger.balance_cents())
    for row in known + ordered:  # a known row is compared with what was booked
        booking = ledger.book(row, now)
        if booking.settled is not None:
            found.settled.append(booking.settled)
    if leftover:
        found.disagreements.append(f"{len(leftover)} statement rows do not follow the last booked balance")
    return not leftover


def _resolve(
    client: ReadingClient,
    ledger: Ledger,
    latch: KillLatch,
    by_id: Mapping[int, CashRow],
    venue_now: int,
    now: float,
    complete: bool,
    found: _Pass,
) -> None:
    """Give every unbound purchase an owner, every unknown intent a verdict, and every stranger a halt."""
    unbound = [by_id.get(r.transaction_id, r) for r in ledger.unbound_buys()]
    for intent in ledger.unresolved():
        if intent.state is IntentState.UNKNOWN:
            _resolve_unknown(client, ledger, intent, unbound, venue_now, now, complete, found)
    quarantined = [i for i in ledger.unresolved() if i.state is IntentState.QUARANTINED]
    pending = [i for i in ledger.unresolved() if i.state is IntentState.SENT]
    strangers = []
    for row in unbound:
        if ledger.is_bound(row) or any(matches(i, row) for i in quarantined) or pending:
            continue
        ruled_out = [i for i in ledger.tombstones(row.time - TOMBSTONE_S) if matches(i, row)]
        if len(ruled_out) == 1:
            found.late.append(ledger.late_bound(ruled_out[0].intent_id, _receipt(row), now))
        else:
            strangers.append(row)
    if found.late:
        found.halted = f"contract {found.late[0].contract_id} was bought after it had been ruled out"
        latch.halt(found.halted, "recovery")
    if strangers:
        ledger.record_foreign(strangers, now)
        ids = ", ".join(str(r.contract_id) for r in strangers[:5])
        found.halted = f"contracts {ids} on the account are not ours; nobody else may trade on it"
        latch.halt(found.halted, "recovery")
    for intent in ledger.unresolved():
        rejected_at = intent.resolved_at
        if intent.state is IntentState.REJECTED and complete and rejected_at is not None:
            if venue_now >= rejected_at + CONFIRM_S:
                ledger.confirm_rejection(intent.intent_id, now)


def _resolve_unknown(
    client: ReadingClient,
    ledger: Ledger,
    intent: Intent,
    unbound: list[CashRow],
    venue_now: int,
    now: float,
    complete: bool,
    found: _Pass,
) -> None:
    sender_gone = (intent.epoch, intent.generation) != (ledger.epoch, client.generation)
    if complete and sender_gone:
        reads = ledger.notes("clean_read", intent.intent_id)
        if not any(matches(intent, r) for r in unbound) and (not reads or venue_now >= float(reads[-1][1]) + 1.0):
            ledger.note("clean_read", str(venue_now), now, intent.intent_id)
    verdict = judge(
        intent,
        unbound,
        now=venue_now,
        sender_gone=sender_gone,
        clean_reads=[float(detail) for _, detail in ledger.notes("clean_read", intent.intent_id)] if complete else [],
    )
    match verdict.proof:
        case Proof.BOUND if verdict.row is not None:
            found.bound.append(ledger.opened(intent.intent_id, _receipt(verdict.row), now, verdict.why))
        case Proof.QUARANTINE:
            ledger.quarantine(intent.intent_id, verdict.why, now)
        case Proof.NOT_BOUGHT:
            found.not_bought.append(ledger.not_bought(intent.intent_id, verdict.why, now))
        case _:
            found.waiting.append(f"intent {intent.intent_id}: {verdict.why}")


def _receipt(row: CashRow) -> Receipt:
    if row.contract_id is None or row.payout_cents is None:
        raise FrameError(f"statement row {row.transaction_id} lacks its contract or payout")
    return Receipt(row.contract_id, row.transaction_id, -row.amount_cents, row.payout_cents, row.time)


async def _compare_open(client: ReadingClient, ledger: Ledger, found: _Pass) -> None:
    """The venue's portfolio must be our open contracts."""
    listed = PortfolioContract.list_from_frame(await client.request(requests.portfolio()))
    theirs = {c.contract_id for c in listed} - ledger.foreign_contracts()
    ours = {i.contract_id for i in ledger.open_contracts()}
    if ours - theirs:
        found.disagreements.append(f"contracts {sorted(map(str, ours - theirs))} are open here, not at the venue")
    if theirs - ours:
        found.waiting.append(f"contracts {sorted(map(str, theirs - ours))} are open at the venue, not here")


def _be_patient(ledger: Ledger, latch: KillLatch, now: float, found: _Pass) -> None:
    """Reads may lag writes, so a disagreement is given a minute; one that lasts halts the runner."""
    mark = ledger.last_note("disagreed", "agreed")
    since = mark[1] if mark is not None and mark[0] == "disagreed" else None
    if not found.disagreements:
        if since is not None:
            ledger.note("agreed", "", now)
    elif since is None:
        ledger.note("disagreed", found.disagreements[0], now)
    elif now - since > PATIENCE_S:
        found.halted = f"ledger and venue disagree: {found.disagreements[0]}"
        latch.halt(found.halted, "recovery")
