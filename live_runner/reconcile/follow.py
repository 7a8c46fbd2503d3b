"""Follows open contracts to their end.

Compares the contract's final state (``proposal_open_contract``) with its booked cash rows (the transaction stream); a
difference halts the runner.
"""

from __future__ import annotations

from live_runner.ledger import Intent
from xtitan_core.deriv.protocol import OpenContract


class Follower:
    """The contracts being followed on this connection."""

    def __init__(self) -> None:
        self._intents: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._intents)

    def __contains__(self, contract_id: int) -> bool:
        return contract_id in self._intents

    def watch(self, contract_id: int, intent_id: int) -> None:
        """Start following a contract of one of our intents."""
        self._intents[contract_id] = intent_id

    def reset(self) -> None:
        """Follow nothing any more; the streams end with their connection."""
        self._intents.clear()

    def ended(self, state: OpenContract) -> int | None:
        """Take a contract's newest state.

        Returns:
            The intent, once, when this is the contract's last state; it is then no longer followed.
        """
        return self._intents.pop(state.contract_id, None) if state.is_sold else None


def disagreement(state: OpenContract, intent: Intent) -> str | None:
    """How a contract's final state differs from its booked cash rows; None when they agree.

    Args:
        state: the sold contract.
        intent: the ledger's row of it; an unsettled one cannot disagree yet.
    """
    if intent.sell_cents is None:
        return None
    if state.sell_cents != intent.sell_cents or state.buy_cents != intent.buy_cents:
        return (
            f"contract {state.contract_id}: its final state says bought for {state.buy_cents} and sold for "
            f"{state.sell_cents} cents, its cash rows say {intent.buy_cents} and {intent.sell_cents}"
        )
    return None
