"""When a run ends by itself: the ``--stop-after-…`` counts, and whether anything is still open."""

from __future__ import annotations

from live_runner.config import Settings
from live_runner.journal.bookkeeping import Bookkeeping
from live_runner.trading.engine import Engine


class Goals:
    """The ``--stop-after-…`` counts of one run."""

    def __init__(self, settings: Settings, engine: Engine, bookkeeping: Bookkeeping) -> None:
        self._settings, self._engine, self._bookkeeping = settings, engine, bookkeeping

    def reached(self) -> str:
        """The first count that is reached, as a reason to stop; empty while none is."""
        settings, tally, trades = self._settings, self._engine.tally, self._bookkeeping.tally
        for goal, count, name in (
            (settings.stop_after_shadow, tally.shadow_settled, "shadow settlements"),
            (settings.stop_after_trades, trades.settled, "settled trades"),
            (settings.stop_after_slots, tally.slots, "slots"),
        ):
            if goal is not None and count >= goal:
                return f"{count} {name}"
        return ""

    def nothing_open(self) -> bool:
        """True when no shadow trade, no contract and no purchase of unknown outcome is left."""
        ledger = self._bookkeeping.ledger
        return not (self._engine.shadow_trades or ledger.intents.open_contracts() or ledger.intents.unresolved())
