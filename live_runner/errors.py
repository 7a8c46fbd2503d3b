"""The one tree of the runner's own errors: the command line prints any of them as one line and ends.

RunnerError
├── ConfigError                 config            a setting is missing, wrong or not allowed
├── StartError                  venue.checks      the runner cannot start like this
├── ModelError                  models.errors     a bundle is refused
├── SourceError                 models.source     the registry cannot be read
├── LedgerError                 ledger.records    the ledger refused something or cannot be trusted
│   ├── LedgerLockedError                         another process holds it
│   ├── IllegalTransitionError                    a change that its rules forbid
│   └── LedgerFaultError                          storage failed or contradicts itself
├── LatchError                  guards.latch      the latch cannot be opened now
├── RecoveryError               reconcile.report  the venue is not the one the ledger belongs to
├── ControlError                ops.control       a running runner cannot be asked, or refused
└── StatusError                 ops.status        there is nothing to report on
"""

from __future__ import annotations

from xtitan_core.errors import XtitanError


class RunnerError(XtitanError):
    """Something the operator of a runner can act on; its text is one line that says what is wrong and what to do."""
