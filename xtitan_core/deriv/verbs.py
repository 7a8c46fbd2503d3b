"""Which calls a connection may make: an allow-list set when it opens. The pipeline's, ``READ_ONLY``, has no ``buy``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xtitan_core.deriv.errors import VerbRefused

PURCHASE = "buy"

READ_ONLY: frozenset[str] = frozenset(
    {
        "active_symbols",
        "balance",
        "contracts_for",
        "contracts_list",
        "forget",
        "forget_all",
        "paper_lockstep",
        "ping",
        "portfolio",
        "profit_table",
        "proposal",
        "proposal_open_contract",
        "statement",
        "ticks",
        "ticks_history",
        "time",
        "trading_times",
        "transaction",
    }
)
"""Everything that moves no money. (``paper_lockstep`` exists on the paper exchange only.)"""

TRADING: frozenset[str] = READ_ONLY | {PURCHASE}
"""The runner's trading connection may also buy. x.titan does not sell, cancel or automate: those are left out."""

KNOWN: frozenset[str] = TRADING | {
    "auto_list",
    "auto_start",
    "auto_stop",
    "cancel",
    "contract_update",
    "contract_update_history",
    "logout",
    "sell",
}
"""Every call of the API: a request may name only one of them, because the venue picks one when several are there."""


def verb_of(payload: Mapping[str, Any], allowed: frozenset[str]) -> str:
    """The one call a payload makes.

    Raises:
        VerbRefused: when it names no call, several, or one that is not allowed.
    """
    named = payload.keys() & KNOWN
    if len(named) != 1:
        raise VerbRefused(f"a request must name exactly one call, got {sorted(named) or 'none'}; fix the caller")
    (verb,) = named
    if verb not in allowed:
        raise VerbRefused(f"this connection may not {verb}; open one whose allow-list has it")
    return verb
