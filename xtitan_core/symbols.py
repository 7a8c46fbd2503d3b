"""Symbol catalogue: tick grid, price precision and law of each symbol x.titan knows.

The catalogue is a default for simulation and checks. Against a venue, precision always comes from
``active_symbols.pip_size`` and ``tick.pip_size``.
Source: Deriv's published symbol list and recorded frames (new API, September 2026); decimals of the indices without
recorded frames from Deriv's published ``underlyings.yml`` (2021). The markets' names are Deriv's, the submarkets
``crash_index``, ``jump_index`` and ``step_index`` an assumption: no recording of them was available.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from xtitan_core.clock import DAY
from xtitan_core.errors import XtitanError

SECONDS_PER_YEAR = 365 * DAY
"""Deriv's pricing year: 365 days, no leap day."""

MEAN_STEP = 0.001
"""BOOM/CRASH of nominal N: small steps average ``MEAN_STEP / N`` in log terms, spikes ``MEAN_STEP`` (recorded)."""

STEP_EXPONENT = 2.8
"""Exponent of the half generalised normal law of both (recorded: coefficient of variation 0.69)."""

STEP_VARIATION = 0.687
"""Its coefficient of variation: sqrt(G(3/b) G(1/b) / G(2/b)^2 - 1), b = ``STEP_EXPONENT``, G the gamma function."""

JUMP_SIGMAS = 30.0
"""Standard deviation of a jump of the jump indices, in tick sigmas. An assumption: no jump-index tick is recorded."""

JUMP_EVERY = 1_200
"""Mean ticks between the jumps of a jump index, 20 minutes. An assumption, from Deriv's description of the indices."""


class UnknownSymbolError(XtitanError, ValueError):
    """The symbol is not in the catalogue."""


class SymbolKind(StrEnum):
    """What law a symbol follows, which also decides what is offered on it."""

    VOLATILITY = "volatility"
    CRASH = "crash"
    BOOM = "boom"
    STEP = "step"
    JUMP = "jump"
    FOREX = "forex"
    PLANTED = "planted"


@dataclass(frozen=True, slots=True)
class Symbol:
    """One tradable underlying.

    Attributes:
        name: Deriv's ``underlying_symbol``, for example ``R_100``.
        display_name: the name a person reads.
        tick_seconds: seconds between ticks; epochs are multiples of it. Forex ticks come at most that often.
        decimals: decimals of a quote (``tick.pip_size``).
        volatility: nominal annualised volatility (1.0 = 100 %), without the jumps of a jump index.
        initial_price: where a simulated series starts.
        planted: True for the paper-only series whose returns carry a known edge.
        kind: which law.
        market: Deriv's market.
        submarket: Deriv's submarket.
        event_every: mean ticks between spikes (BOOM/CRASH: the nominal N) or jumps, 0 where there are none.
    """

    name: str
    display_name: str
    tick_seconds: int
    decimals: int
    volatility: float
    initial_price: float
    planted: bool = False
    kind: SymbolKind = SymbolKind.VOLATILITY
    market: str = "synthetic_index"
    submarket: str = "random_index"
    event_every: int = 0

    @property
    def pip(self) -> Decimal:
        """Smallest price increment, as ``active_symbols.pip_size`` gives it."""
        return Decimal(1).scaleb(-self.decimals)

    @property
    def tick_sigma(self) -> float:
        """Standard deviation of one tick's log return (R_100: 2.518e-4), without the jumps of a jump index."""
        return float(self.volatility * (self.tick_seconds / SECONDS_PER_YEAR) ** 0.5)

    def format(self, quote: float) -> str:
        """The quote as text, padded to the symbol's decimals."""
        return f"{quote:.{self.decimals}f}"


PLANTED_SYMBOL = "PLANTED_100"
"""Paper-only symbol: R_100's volatility, with momentum whose best possible win rate is known in closed form."""

PLANTED_VOLATILITY = "PLANTED_VOL_100"
"""Paper-only symbol: R_100's volatility on average, alternating between a calm and a wild regime."""

PLANTED_DRIFT = "PLANTED_DRIFT_100"
"""Paper-only symbol: R_100's volatility, drifting up or down by turns."""

PLANTED_DIGIT = "PLANTED_DIGIT_100"
"""Paper-only symbol: R_100's volatility, with a last digit that tends to repeat. Three decimals, so that moving a
quote to another last digit is small beside a tick."""


def _spikes(kind: SymbolKind, n: int, price: float, suffix: str = "") -> Symbol:
    # Variance per tick: small steps (MEAN_STEP/n)^2 and, with probability 1/n, spikes MEAN_STEP^2, both times 1+cv^2.
    variance = MEAN_STEP**2 * (1 + STEP_VARIATION**2) * ((1 - 1 / n) / n**2 + 1 / n)
    volatility = float((variance * SECONDS_PER_YEAR) ** 0.5)
    name, title = f"{kind.upper()}{n}{suffix}", f"{kind.capitalize()} {n} Index"
    return Symbol(name, title, 1, 3, volatility, price, kind=kind, submarket="crash_index", event_every=n)


def _jumps(percent: int, price: float) -> Symbol:
    name, title = f"JD{percent}", f"Jump {percent} Index"
    kind, submarket = SymbolKind.JUMP, "jump_index"
    return Symbol(name, title, 1, 2, percent / 100, price, kind=kind, submarket=submarket, event_every=JUMP_EVERY)


def _forex(name: str, title: str, decimals: int, volatility: float, price: float) -> Symbol:
    market, submarket = ("commodities", "metals") if name.startswith("frxX") else ("forex", "major_pairs")
    kind = SymbolKind.FOREX
    return Symbol(name, title, 1, decimals, volatility, price, kind=kind, market=market, submarket=submarket)


def _planted(name: str, title: str, decimals: int = 2) -> Symbol:
    return Symbol(name, title, 2, decimals, 1.00, 640.0, planted=True, kind=SymbolKind.PLANTED)


# New symbols go to the end: the order is the catalogue's order everywhere.
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
    _planted(PLANTED_SYMBOL, "Planted Momentum 100 (paper only)"),
    _planted(PLANTED_VOLATILITY, "Planted Regimes 100 (paper only)"),
    _planted(PLANTED_DRIFT, "Planted Drift 100 (paper only)"),
    _planted(PLANTED_DIGIT, "Planted Digits 100 (paper only)", decimals=3),
    # Recorded: BOOM500, BOOM900, CRASH500, CRASH600, CRASH900, CRASH1000, at these price levels. The others follow the
    # law that fits all six; they were not recorded themselves.
    _spikes(SymbolKind.BOOM, 300, 3_000.0, suffix="N"),
    _spikes(SymbolKind.BOOM, 500, 5_250.0),
    _spikes(SymbolKind.BOOM, 600, 6_000.0),
    _spikes(SymbolKind.BOOM, 900, 9_000.0),
    _spikes(SymbolKind.BOOM, 1_000, 12_000.0),
    _spikes(SymbolKind.CRASH, 300, 3_000.0, suffix="N"),
    _spikes(SymbolKind.CRASH, 500, 3_420.0),
    _spikes(SymbolKind.CRASH, 600, 24_700.0),
    _spikes(SymbolKind.CRASH, 900, 20_700.0),
    _spikes(SymbolKind.CRASH, 1_000, 5_580.0),
    # A step of 0.1 a tick at about 7,945 points, as recorded.
    Symbol("stpRNG", "Step Index", 1, 1, 0.0707, 7_945.0, kind=SymbolKind.STEP, submarket="step_index"),
    _jumps(10, 20_000.0),
    _jumps(25, 15_000.0),
    _jumps(50, 30_000.0),
    _jumps(75, 10_000.0),
    _jumps(100, 5_000.0),
    # Volatilities over 365 days of open hours, from candles of 2025: EURUSD and XAUUSD 5-minute, GBPUSD 1-minute;
    # USDJPY was not recorded.
    _forex("frxEURUSD", "EUR/USD", 5, 0.1010, 1.16),
    _forex("frxGBPUSD", "GBP/USD", 5, 0.0811, 1.34),
    _forex("frxUSDJPY", "USD/JPY", 3, 0.1000, 150.0),
    _forex("frxXAUUSD", "Gold/USD", 2, 0.2125, 3_400.0),
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
