"""Ticks as subscribers are sent them when the feed is at fault. Contracts and history go by the true ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from paper_exchange.faults.catalogue import FaultName
from paper_exchange.faults.script import Fault
from paper_exchange.venue.hooks import ShownTick
from xtitan_core.symbols import Symbol


@dataclass(slots=True)
class _Trouble:
    """What is wrong with one symbol's feed: until when, and what is kept back."""

    gap: int = 0
    stall: int = 0
    freeze: int = 0
    frozen: float = 0.0
    pip: int = 0
    decimals: int = 0
    kept: list[ShownTick] = field(default_factory=list)
    late: ShownTick | None = None


class Feed:
    """Feed faults in progress, by symbol."""

    def __init__(self) -> None:
        self._troubles: dict[str, _Trouble] = {}

    def shown(self, symbol: Symbol, epoch: int, quote: float, fault: Fault | None) -> list[ShownTick]:
        """The ticks that subscribers are sent when a symbol ticks.

        Args:
            epoch, quote: the true tick.
            fault: the one that begins with it, None for none.
        """
        trouble = self._troubles.get(symbol.name)
        if fault is None and trouble is None:
            return [(symbol, epoch, quote)]
        trouble = trouble or self._troubles.setdefault(symbol.name, _Trouble())
        if fault is not None:
            _begin(trouble, fault, epoch, quote)
        if epoch < trouble.freeze:
            quote = trouble.frozen
        if fault is not None and fault.name is FaultName.TICK_WILD:
            quote = round(quote * fault.number("factor"), symbol.decimals)
        if epoch < trouble.pip:
            symbol = replace(symbol, decimals=trouble.decimals)
            quote = round(quote, trouble.decimals)
        tick = (symbol, epoch, quote)
        if epoch < trouble.gap:
            return []
        if epoch < trouble.stall:
            trouble.kept.append(tick)
            return []
        if fault is not None and fault.name is FaultName.TICK_DISORDERED and trouble.late is None:
            trouble.late = tick
            return []
        shown = [*trouble.kept, tick]
        trouble.kept = []
        if fault is not None and fault.name is FaultName.TICK_REPEATED:
            shown.append(tick)
        if trouble.late is not None:
            shown.append(trouble.late)
            trouble.late = None
        if max(trouble.gap, trouble.stall, trouble.freeze, trouble.pip) <= epoch:
            del self._troubles[symbol.name]
        return shown


def _begin(trouble: _Trouble, fault: Fault, epoch: int, quote: float) -> None:
    if fault.name is FaultName.TICK_GAP:
        trouble.gap = epoch + fault.seconds()
    elif fault.name is FaultName.TICK_STALLED:
        trouble.stall = epoch + fault.seconds()
    elif fault.name is FaultName.TICK_FROZEN:
        trouble.freeze, trouble.frozen = epoch + fault.seconds(), quote
    elif fault.name is FaultName.PIP_CHANGED:
        trouble.pip, trouble.decimals = epoch + fault.seconds(), int(fault.number("decimals"))
