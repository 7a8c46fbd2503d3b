"""Compares the ledger with the venue's records: the same code for the first start, a restart and a reconnect.

``recover`` reads the venue's records once, books what is new, resolves what can be resolved and says whether trading
may go on. It does not wait: when evidence needs time, it returns and is called again. It only reads from the venue.
"""

from __future__ import annotations

from live_runner.guards.latch import KillLatch
from live_runner.guards.limits import Limits
from live_runner.ledger import Booked, CashRow, Intent, Ledger, LedgerError, LedgerFaultError
from live_runner.reconcile.binding import TOMBSTONE_S, in_chain_order
from live_runner.reconcile.report import RecoveryError, RecoveryReport
from live_runner.reconcile.resolution import Evidence, Findings, close_earlier_runs, resolve
from live_runner.reconcile.statement import read_statement
from live_runner.venue.client import ReadingClient
from xtitan_core.deriv import fields, requests
from xtitan_core.deriv.errors import DerivClientError, FrameError
from xtitan_core.deriv.protocol import Balance
from xtitan_core.deriv.records import PortfolioContract

OVERLAP_S = 3_600
"""How far before the last booked row the statement is read again."""
PATIENCE_S = 60.0
"""Venue seconds that ledger and venue may disagree (the statement lags) before the runner halts."""
MAX_LEDGER_AHEAD_S = 5
"""Seconds the newest booked row may lie after the venue's time; more means another run of the exchange."""


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
        RecoveryError: another account, currency or run of the exchange than the ledger's. A venue whose time
            only differs from ours is waited for.
        LedgerFaultError: storage failed, or a row contradicts the ledger; the latch is halted, exit non-zero.
    """
    findings = Findings()
    unresolved: list[Intent] = []
    try:
        try:
            await _pass(client, ledger, latch, limits, now, adopt_history, findings)
        except (DerivClientError, FrameError) as error:
            # Nothing follows from a partial read; the gate stays closed until the next one.
            findings.waiting.append(f"the venue's records could not be read: {error}")
        unresolved = ledger.intents.unresolved()
    except LedgerError as error:
        latch.halt(f"ledger: {error}", "recovery")
        raise error if isinstance(error, LedgerFaultError) else LedgerFaultError(str(error)) from error
    findings.waiting += [f"intent {i.intent_id} is {i.state.value}" for i in unresolved]
    return RecoveryReport(
        ready=not findings.waiting and not findings.disagreements,
        generation=client.generation,
        waiting=tuple(findings.waiting + findings.disagreements),
        halted=findings.halted,
        bound=tuple(findings.bound),
        not_bought=tuple(findings.not_bought),
        abandoned=tuple(findings.abandoned),
        settled=tuple(findings.settled),
        late=tuple(findings.late),
        balance_cents=findings.balance_cents,
        skew_s=findings.skew_s,
    )


async def _pass(
    client: ReadingClient,
    ledger: Ledger,
    latch: KillLatch,
    limits: Limits,
    now: float,
    adopt_history: bool,
    findings: Findings,
) -> None:
    close_earlier_runs(ledger, now, findings)
    venue_now = fields.epoch(await client.request(requests.time()), "time")
    findings.skew_s = venue_now - now
    balance = await _balance(client, ledger)
    findings.balance_cents = balance.balance_cents
    if not -limits.max_skew_s - 1.0 <= findings.skew_s <= limits.max_skew_s:
        # Either clock may be wrong. Until they agree nothing is recorded as the opening, ruled out, or taken for
        # another run of the exchange.
        findings.waiting.append(
            f"our clock differs from the venue's by {findings.skew_s:.1f} s; check time synchronisation"
        )
        return
    if ledger.fresh and not await _begin(client, ledger, latch, balance, venue_now, now, adopt_history, findings):
        return
    last = ledger.cash.last_row()
    if last is not None and venue_now < last.time - MAX_LEDGER_AHEAD_S:
        raise RecoveryError(
            f"the venue's time {venue_now} lies before the ledger's last row ({last.time}): this state folder belongs "
            "to another exchange session; use another one"
        )
    rows = await read_statement(client, _read_from(ledger), venue_now)
    _book(ledger, rows, now, findings)
    if last is not None and all(row.transaction_id != last.transaction_id for row in rows):
        findings.disagreements.append(f"the statement lacks transaction {last.transaction_id}, which is booked")
    if ledger.cash.balance_cents() != balance.balance_cents:
        balance = await _balance(client, ledger)  # something may have settled while the statement was read
    findings.balance_cents = balance.balance_cents
    if ledger.cash.balance_cents() != balance.balance_cents:
        findings.disagreements.append(
            f"the account holds {balance.balance_cents} cents, the ledger {ledger.cash.balance_cents()}"
        )
    listed = PortfolioContract.list_from_frame(await client.request(requests.portfolio()))
    portfolio = {c.contract_id for c in listed} - ledger.cash.foreign_contracts()
    unexplained = portfolio - {r.contract_id for r in rows} - {i.contract_id for i in ledger.intents.open_contracts()}
    complete = not findings.disagreements and not unexplained
    evidence = Evidence({r.transaction_id: r for r in rows}, client.generation, venue_now, complete)
    resolve(ledger, latch, evidence, now, findings)
    _compare_open(ledger, portfolio, findings)
    _halt_if_it_lasts(ledger, latch, now, findings)


async def _balance(client: ReadingClient, ledger: Ledger) -> Balance:
    balance = Balance.from_frame(await client.request(requests.balance()))
    if balance.loginid != ledger.account_id:
        raise RecoveryError(
            f"the connection is for account {balance.loginid}, the ledger for {ledger.account_id}; check the account id"
        )
    if not ledger.fresh and ledger.cash.opening()[1] != balance.currency:
        raise RecoveryError(
            f"the account holds {balance.currency}, the ledger {ledger.cash.opening()[1]}; use another state folder"
        )
    return balance


async def _begin(
    client: ReadingClient,
    ledger: Ledger,
    latch: KillLatch,
    balance: Balance,
    venue_now: int,
    now: float,
    adopt_history: bool,
    findings: Findings,
) -> bool:
    """Record the opening balance; the newest statement row must carry it, or the next pass tries again."""
    rows = await read_statement(client, venue_now - int(TOMBSTONE_S), venue_now)
    newest = max(rows, key=lambda r: (r.time, r.transaction_id), default=None)
    if newest is not None and newest.balance_cents != balance.balance_cents:
        findings.waiting.append("the balance moved while the statement was read")
        return False
    # The earlier of the two clocks, so that no later row counts as part of the opening balance.
    time = min(venue_now, int(now)) if newest is None else newest.time
    prior = [r.transaction_id for r in rows if r.time >= time]
    ledger.cash.begin(balance.balance_cents, balance.currency, time, prior, venue_now)
    bought = sum(r.action == "buy" for r in rows)
    if bought and not adopt_history:
        findings.halted = (
            f"{bought} purchases of the last day are not in this new ledger, so the day's losses are unknown; "
            "if the account is right, resume"
        )
        latch.halt(findings.halted, "recovery")
    return True


def _read_from(ledger: Ledger) -> int:
    """Where to start reading the statement: an hour before the last row, and before anything unresolved was sent."""
    opened = ledger.cash.opening()[2]
    last = ledger.cash.last_row()
    start = opened if last is None else last.time - OVERLAP_S
    sent = [int(i.sent_at) - OVERLAP_S for i in ledger.intents.unresolved() if i.sent_at is not None]
    unclaimed = [r.time for r in ledger.cash.unbound_buys()]
    return max(opened, min([start, *sent, *unclaimed]))


def _book(ledger: Ledger, rows: list[CashRow], now: float, findings: Findings) -> None:
    """Book the new rows in the order of their balances."""
    booked = {r.transaction_id for r in ledger.cash.rows_since(min((r.time for r in rows), default=0))}
    known = [r for r in rows if r.transaction_id in booked]
    fresh = [r for r in rows if r.transaction_id not in booked and not ledger.cash.is_prior(r)]
    ordered, leftover = in_chain_order(fresh, ledger.cash.balance_cents())
    gaps = 0
    for row in known + ordered + leftover:  # a known row is compared with what was booked
        booking = ledger.cash.book(row, now)
        gaps += booking.result is Booked.GAP
        if booking.settled is not None:
            findings.settled.append(booking.settled)
    if gaps:
        findings.disagreements.append(f"{gaps} statement rows do not follow the last booked balance")


def _compare_open(ledger: Ledger, portfolio: set[int], findings: Findings) -> None:
    """The venue's portfolio must be our open contracts, and each of them must have been paid for."""
    ours = {i.contract_id for i in ledger.intents.open_contracts() if i.contract_id is not None}
    if ours - portfolio:
        findings.disagreements.append(f"contracts {_listed(ours - portfolio)} are open here, not at the venue")
    if portfolio - ours:
        findings.waiting.append(f"contracts {_listed(portfolio - ours)} are open at the venue, not here")
    unpaid = ledger.cash.unpaid()
    if unpaid:
        findings.disagreements.append(f"contracts {_listed(set(unpaid))} are ours, but no statement row pays for them")


def _listed(ids: set[int]) -> str:
    return ", ".join(map(str, sorted(ids)[:5]))


def _halt_if_it_lasts(ledger: Ledger, latch: KillLatch, now: float, findings: Findings) -> None:
    """Halt at a disagreement that lasts longer than ``PATIENCE_S``; a shorter one may be a statement that lags."""
    mark = ledger.last_note("disagreed", "agreed")
    since = mark[1] if mark is not None and mark[0] == "disagreed" else None
    if not findings.disagreements:
        if since is not None:
            ledger.note("agreed", "", now)
    elif since is None:
        ledger.note("disagreed", findings.disagreements[0], now)
    elif now - since > PATIENCE_S:
        findings.halted = f"ledger and venue disagree: {findings.disagreements[0]}"
        latch.halt(findings.halted, "recovery")
