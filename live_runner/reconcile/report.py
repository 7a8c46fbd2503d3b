"""What one pass of recovery reports, and the error for a venue that the ledger does not belong to."""

from __future__ import annotations

from dataclasses import dataclass

from live_runner.errors import RunnerError
from live_runner.ledger import Intent


class RecoveryError(RunnerError):
    """The venue is not the one this ledger belongs to; one line that says what to do."""


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
