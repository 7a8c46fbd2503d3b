"""Which shadow trades are evidence, and for whom: one lineage's journal in, bankrolls and counts out.

Every rule here looks only at what was known when the trade was decided, so no trade is dropped because of
how it ended:

* a trade counts for its candidate when it was decided strictly after the candidate's registration, the model wanted
  it, and it was quoted on the account, symbol and commission that the candidate's first trade was quoted on;
* it counts for the lineage as well while its candidate is the newest one registered;
* a contract that never settles, or whose settlement contradicts it, stays open: open stakes are worth nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from xtitan_core.contracts import RISE_FALL
from xtitan_core.evidence.cash_account import CashAccount, EvidenceError, Outcome
from xtitan_core.evidence.shadow_trades import Candidate, Event, Excluded, Tally
from xtitan_core.journal import AnyRecord, MissedRecord, SessionRecord, ShadowSettlementRecord, ShadowTradeRecord

COMMISSION_MOVE = 0.003
"""A quoted break-even that moved by more than this counts as other terms, which take a new registration."""


class LineageEvidence:
    """State machine over journal records; ask it for the newest candidate's evidence at any time.

    Args:
        candidates: every registration of the lineage.
        haircut: fraction taken off each payout ratio.

    Raises:
        EvidenceError: without candidates, or when one bundle is registered twice.
    """

    def __init__(self, candidates: Sequence[Candidate], *, haircut: float = 0.0) -> None:
        self._candidates = sorted(candidates, key=lambda c: (c.registered_epoch, c.sequence))
        self._by_bundle = {c.bundle_id: c for c in self._candidates}
        if not candidates or len(self._by_bundle) != len(candidates):
            raise EvidenceError("a lineage needs at least one candidate, and each bundle registered once")
        self._haircut = haircut
        self._account_now = ""
        self._accounts: dict[str, str] = {}
        self._break_evens: dict[tuple[str, str, int, str], float] = {}
        self._seen: set[str] = set()
        self._trades: dict[str, Event] = {}
        self._open_slots: set[str] = set()
        self._lineages: dict[str, CashAccount] = {}
        self._own = CashAccount(haircut=haircut)
        self.subject = max(candidates, key=lambda c: c.sequence)
        self.counted = Tally()
        self.slots = Tally()
        self.events: list[Event] = []
        self.path: list[tuple[int, float, float]] = []
        self.missed: Counter[str] = Counter()
        self.excluded: Counter[str] = Counter()
        self.last_epoch = 0

    def record(self, record: AnyRecord) -> None:
        """Take the next journal record; kinds that carry no evidence only move the time."""
        self.last_epoch = max(self.last_epoch, record.epoch)
        match record:
            case SessionRecord():
                self._account_now = f"{record.environment}:{record.account_id}"
            case ShadowTradeRecord() if record.bundle_id in self._by_bundle:
                self._purchase(record, self._by_bundle[record.bundle_id])
            case ShadowSettlementRecord() if record.trade_id in self._trades or record.trade_id in self._open_slots:
                self._settle(record)
            case MissedRecord() if record.bundle_id == self.subject.bundle_id:
                self.missed[record.reason] += 1
            case _:
                pass

    def _exclusion(self, record: ShadowTradeRecord, candidate: Candidate) -> Excluded | None:
        """Why this trade is not evidence, from what is known at its purchase."""
        if record.trade_id in self._seen:
            return Excluded.DUPLICATE
        if record.epoch <= candidate.registered_epoch:
            return Excluded.BEFORE_REGISTRATION
        if record.symbol not in candidate.symbols:
            return Excluded.OTHER_SYMBOL
        if not self._account_now:
            return Excluded.NO_ACCOUNT
        if self._accounts.setdefault(candidate.bundle_id, self._account_now) != self._account_now:
            return Excluded.OTHER_ACCOUNT
        if record.contract_type in RISE_FALL:
            key = (candidate.bundle_id, record.contract_type, record.duration, record.duration_unit)
            break_even = record.ask_cents / record.payout_cents
            if abs(break_even - self._break_evens.setdefault(key, break_even)) > COMMISSION_MOVE:
                return Excluded.COMMISSION_MOVED
        return None if record.counted else Excluded.NOT_WANTED

    def _newest_before(self, epoch: int) -> Candidate | None:
        earlier = [c for c in self._candidates if c.registered_epoch < epoch]
        return earlier[-1] if earlier else None

    def _purchase(self, record: ShadowTradeRecord, candidate: Candidate) -> None:
        if record.ask_cents <= 0 or record.payout_cents <= record.ask_cents:
            raise EvidenceError(
                f"shadow trade {record.trade_id}: a quote of {record.payout_cents} for {record.ask_cents}"
            )
        reason = self._exclusion(record, candidate)
        self._seen.add(record.trade_id)
        subject = candidate is self.subject
        if subject and reason is not None:
            self.excluded[reason] += 1
        ratio = record.payout_cents / record.ask_cents - 1.0
        if subject and reason in (None, Excluded.NOT_WANTED):
            self.slots.purchase(record.trade_id, ratio)
            self._open_slots.add(record.trade_id)
        if reason is not None:
            return
        if subject and not self.path:
            self.path.append((0, self.e_own, self.e_lineage))
        newest = candidate is self._newest_before(record.epoch)
        event = Event(
            trade_id=record.trade_id,
            bundle_id=record.bundle_id,
            account=self._account_now,
            epoch=record.epoch,
            ask_cents=record.ask_cents,
            payout_cents=record.payout_cents,
            outcome=None,
            own=subject,
            lineage=newest,
        )
        if newest:
            self._lineage(event.account).purchase(record.trade_id, ratio)
        if subject:
            self._own.purchase(record.trade_id, ratio)
            self.counted.purchase(record.trade_id, ratio)
        if newest or subject:
            self._trades[record.trade_id] = event
            self.events.append(event)

    def _settle(self, record: ShadowSettlementRecord) -> None:
        outcome = Outcome(record.outcome)
        event = self._trades.get(record.trade_id)
        if event is not None and not event.epoch < record.entry_epoch <= record.exit_epoch <= record.epoch:
            return
        if record.trade_id in self._open_slots:
            self._open_slots.remove(record.trade_id)
            self.slots.settle(record.trade_id, outcome)
        if event is None:
            return
        del self._trades[record.trade_id]
        self.events.append(replace(event, epoch=record.epoch, outcome=outcome))
        if event.lineage:
            self._lineage(event.account).settle(event.trade_id, outcome)
        if event.own:
            self._own.settle(event.trade_id, outcome)
            self.counted.settle(event.trade_id, outcome)
            self.path.append((self.counted.settled, self.e_own, self.e_lineage))

    def _lineage(self, account: str) -> CashAccount:
        if account not in self._lineages:
            self._lineages[account] = CashAccount(haircut=self._haircut)
        return self._lineages[account]

    @property
    def account_id(self) -> str:
        """``environment:account`` that the newest candidate's evidence belongs to; empty before its first trade."""
        return self._accounts.get(self.subject.bundle_id, "")

    @property
    def e_own(self) -> float:
        """The newest candidate's own bankroll."""
        return self._own.bankroll

    @property
    def e_lineage(self) -> float:
        """The lineage bankroll on the newest candidate's account; 1 before any trade there."""
        return self._lineages[self.account_id].bankroll if self.account_id in self._lineages else 1.0

    @property
    def open_trades(self) -> int:
        """Counted trades of the newest candidate that have not settled: worth nothing so far."""
        return self._own.open_trades

    @property
    def max_overlap(self) -> int:
        """Most counted trades of the newest candidate that were ever open at once."""
        return self._own.max_overlap
