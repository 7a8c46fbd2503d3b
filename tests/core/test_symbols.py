"""The symbol catalogue."""

from __future__ import annotations

import pytest

from xtitan_core.symbols import SYMBOLS, UnknownSymbolError, symbol


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


def test_only_the_planted_symbol_is_planted() -> None:
    assert [s.name for s in SYMBOLS.values() if s.planted] == ["PLANTED_100"]
