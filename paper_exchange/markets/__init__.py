"""The markets the exchange simulates: one module a law, each with the source it follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from paper_exchange.markets.boom_crash import BoomCrash
from paper_exchange.markets.digit_memory import DigitMemory
from paper_exchange.markets.forex import ForexSeries
from paper_exchange.markets.gaussian import Gaussian
from paper_exchange.markets.jump import Jump
from paper_exchange.markets.momentum import Momentum
from paper_exchange.markets.plant import Plant
from paper_exchange.markets.regimes import DriftRegimes, VolatilityRegimes
from paper_exchange.markets.series import Law, SimulatedSeries, TickSource
from paper_exchange.markets.step import Step
from xtitan_core.symbols import (
    PLANTED_DIGIT,
    PLANTED_DRIFT,
    PLANTED_SYMBOL,
    PLANTED_VOLATILITY,
    Symbol,
    SymbolKind,
)

_LAWS: Mapping[SymbolKind, Callable[[Symbol, int], Law]] = {
    SymbolKind.VOLATILITY: Gaussian,
    SymbolKind.BOOM: BoomCrash,
    SymbolKind.CRASH: BoomCrash,
    SymbolKind.STEP: Step,
    SymbolKind.JUMP: Jump,
}
_PLANTED: Mapping[str, Callable[[Symbol, int, Plant, int], Law]] = {
    PLANTED_SYMBOL: Momentum,
    PLANTED_VOLATILITY: VolatilityRegimes,
    PLANTED_DRIFT: DriftRegimes,
    PLANTED_DIGIT: DigitMemory,
}


def simulate(symbol: Symbol, seed: int, first_day: int, plant: Plant | None = None) -> TickSource:
    """The simulated ticks of a symbol; nothing is computed before they are asked for.

    Args:
        symbol: any of the catalogue.
        seed: the exchange's seed.
        first_day: UTC midnight where the series begins at the symbol's initial price.
        plant: edges of the planted symbols; the others have none.
    """
    if symbol.kind is SymbolKind.FOREX:
        return ForexSeries(symbol, seed, first_day)
    if symbol.planted:
        law = _PLANTED[symbol.name](symbol, seed, plant or Plant(), first_day)
    else:
        law = _LAWS[symbol.kind](symbol, seed)
    return SimulatedSeries(symbol, law, first_day)
