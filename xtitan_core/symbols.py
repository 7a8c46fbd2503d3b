"""Symbol catalogue: tick grid, price precision and nominal volatility of each symbol x.titan knows.

The catalogue is a default for simulation and checks. Against a venue, precision always comes from
``active_symbols.pip_size`` and ``tick.pip_size``.
Source: Deriv's published symbol list and recorded frames (new API, September 2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

SECONDS_PER_YEAR = 365 * 86_400
"""Deriv's pricing year: 365 days, no leap day."""


class UnknownSymbolError(ValueError):
    """The symbol is not in the catalogue."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One tradable underlying.

    Attributes:
        name: Deriv's ``underlying_symbol``, for example ``R_100``.
        display_name: the name a person reads.
        tick_seconds: seconds between ticks; epochs are multiples of it.
        decimals: decimals of a quote (``tick.pip_size``).
        volatility: nominal annualised volatility (1.0 = 100 %).
        initial_price: where a simulated series starts.
        planted: True for the paper-only series whose returns carry a known edge.
    """

    name: str
    display_name: str
    tick_seconds: int
    decimals: int
    volatility: float
    initial_price: float
    planted: bool = False

    @property
    def pip(self) -> Decimal:
        """Smallest price increment, as ``active_symbols.pip_size`` gives it."""
        return Decimal(1).scaleb(-self.decimals)

    @property
    def tick_sigma(self) -> float:
        """Standard deviation of one tick's log return (R_100: 2.518e-4)."""
        return float(self.volatility * (self.tick_seconds / SECONDS_PER_YEAR) ** 0.5)

    def format(self, quote: float) -> str:
        """The quote as text, padded to the symbol's decimals."""
        return f"{quote:.{self.decimals}f}"


PLANTED_SYMBOL = "PLANTED_100"
"""Paper-only symbol: R_100's volatility, with momentum whose best possible win rate is known in closed form."""

_CATALOGUE = (
    Symbol("R_10", "Volatility 10 Index", 2, 3, 0.10, 6_000.0),
    Symbol("R_25", "Volatility 25 Index", 2, 3, 0.25, 2_800.0),
    Symbol("R_50", "Volatility 50 Index", 2, 4, 0.50, 92.0),
    Symbol("R_75", "Volatility 75 Index", 2, 4, 0.75, 34_000.0),
    Symbol("R_100", "Volatility 100 Index", 2, 2, 1.00, 640.0),
    Symbol("1HZ10V", "Volatility 10 (1s) Index", 1, 2, 0.10, 9_000.0),
    Symbol("1HZ25V", "Volatility 25 (1s) Index", 1, 2, 0.25, 220_000.0),
    Symbol("1HZ50V", "Volatility 50 (1s) Index", 1, 2, 0.50, 180_000.0),
    Symbol("1HZ75V", "Volatility 75 (1s) Index", 1, 2, 0.75, 3_300.0),
    Symbol("1HZ100V", "Volatility 100 (1s) Index", 1, 2, 1.00, 700.0),
    Symbol(PLANTED_SYMBOL, "Planted Momentum 100 (paper only)", 2, 2, 1.00, 640.0, planted=True),
)

SYMBOLS: dict[str, Symbol] = {s.name: s for s in _CATALOGUE}


def symbol(name: str) -> Symbol:
    """Look a symbol up by Deriv's name.

    Raises:
        UnknownSymbolError: with the known names, when the name is not in the catalogue.
    """
    try:
        return SYMBOLS[name]
    except KeyError:
        raise UnknownSymbolError(f"unknown symbol {name!r}; choose one of {', '.join(SYMBOLS)}") from None
