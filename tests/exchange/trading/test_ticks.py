"""Ticks are put together from a template: the same text as the encoder's, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper_exchange.protocol.frames import encode
from paper_exchange.trading.ticks import tick_body, tick_text
from xtitan_core.symbols import SYMBOLS, symbol


@given(
    name=st.sampled_from(sorted(SYMBOLS)),
    epoch=st.integers(0, 4_000_000_000),
    quote=st.floats(-1e9, 1e9) | st.integers(-(10**6), 10**6).map(float),
)
def test_the_template_says_what_the_encoder_would(name: str, epoch: int, quote: float) -> None:
    body = tick_body(symbol(name), epoch, quote)
    assert tick_text(symbol(name), epoch, quote) + "}" == encode(body)


@pytest.mark.parametrize("name", ["R_10", "R_50", "1HZ100V", "BOOM500"])
def test_streamed_ticks_look_like_the_first_one(venue: Any, name: str) -> None:
    market = venue()
    first = market.connect().ask({"ticks": name, "subscribe": 1, "req_id": 5})
    market.advance()
    second = json.loads(market.transcript[-1][1])
    assert list(first) == list(second)
    assert list(first["tick"]) == list(second["tick"])
    assert second["tick"]["epoch"] > first["tick"]["epoch"]
    assert second["tick"]["bid"] < second["tick"]["quote"] < second["tick"]["ask"]
