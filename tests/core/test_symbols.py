"""The symbol catalogue."""

from __future__ import annotations

import pytest

from xtitan_core.symbols import SYMBOLS, SymbolKind, UnknownSymbolError, symbol


def test_tick_sigma_follows_from_the_nominal_volatility() -> None:
    # Recorded R_100 ticks have a log-return sd of 2.5209e-4; nominal is 2.5183e-4.
    assert symbol("R_100").tick_sigma == pytest.approx(2.5183e-4, rel=1e-4)
    assert symbol("R_50").tick_sigma == pytest.approx(1.2592e-4, rel=1e-4)


def test_quotes_are_padded_to_the_symbols_decimals() -> None:
    assert symbol("R_50").format(91.891) == "91.8910"
    assert str(symbol("R_100").pip) == "0.01"


def test_an_unknown_symbol_names_the_known_ones() -> None:
    with pytest.raises(UnknownSymbolError, match=r"R_99.*choose one of.*R_100"):
        symbol("R_99")


def test_planted_symbols_say_so() -> None:
    planted = {s.name for s in SYMBOLS.values() if s.planted}
    assert planted == {"PLANTED_100", "PLANTED_VOL_100", "PLANTED_DRIFT_100", "PLANTED_DIGIT_100"}
    assert planted == {s.name for s in SYMBOLS.values() if s.kind is SymbolKind.PLANTED}


def test_older_symbols_keep_their_places() -> None:
    # Ids and seeds of whatever walks through the catalogue stay the same when symbols are added at the end.
    assert list(SYMBOLS)[:11] == [
        *("R_10", "R_25", "R_50", "R_75", "R_100"),
        *("1HZ10V", "1HZ25V", "1HZ50V", "1HZ75V", "1HZ100V"),
        "PLANTED_100",
    ]


@pytest.mark.parametrize(
    ("name", "kind", "market", "submarket", "decimals"),
    [
        ("1HZ75V", SymbolKind.VOLATILITY, "synthetic_index", "random_index", 2),
        ("BOOM500", SymbolKind.BOOM, "synthetic_index", "crash_index", 3),
        ("CRASH1000", SymbolKind.CRASH, "synthetic_index", "crash_index", 3),
        ("stpRNG", SymbolKind.STEP, "synthetic_index", "step_index", 1),
        ("JD10", SymbolKind.JUMP, "synthetic_index", "jump_index", 2),
        ("frxEURUSD", SymbolKind.FOREX, "forex", "major_pairs", 5),
        ("frxUSDJPY", SymbolKind.FOREX, "forex", "major_pairs", 3),
        ("frxXAUUSD", SymbolKind.FOREX, "commodities", "metals", 2),
    ],
)
def test_every_kind_has_its_market(name: str, kind: SymbolKind, market: str, submarket: str, decimals: int) -> None:
    entry = symbol(name)
    assert (entry.kind, entry.market, entry.submarket, entry.decimals) == (kind, market, submarket, decimals)


@pytest.mark.parametrize(
    ("name", "ticks", "recorded"),
    [
        ("BOOM500", 35_000, 0.343),
        ("BOOM900", 59_999, 0.206),
        ("CRASH500", 10_000, 0.263),
        ("CRASH600", 30_000, 0.225),
        ("CRASH900", 10_000, 0.249),
        ("CRASH1000", 49_999, 0.138),
    ],
)
def test_spikes_make_the_volatility_that_was_recorded(name: str, ticks: int, recorded: float) -> None:
    entry = symbol(name)
    # The variance is that of the few spikes recorded, whose squares have a kurtosis-like ratio of three.
    error = (3 / (ticks / entry.event_every)) ** 0.5
    assert (recorded / entry.volatility) ** 2 == pytest.approx(1.0, abs=3 * error)
