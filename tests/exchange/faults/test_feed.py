"""A feed at fault: subscribers are sent wrong ticks, contracts and history go by the true ones."""

from __future__ import annotations

from typing import Any

START = 1_772_409_600
ACCOUNT = "DOT90000001"


def heard(market: Any, *faults: str, instants: int = 12) -> tuple[list[dict[str, Any]], list[float]]:
    """Ticks a subscriber heard after the first, and the true quotes of those instants."""
    venue = market(*faults)
    socket = venue.connect()
    socket.ask({"ticks": "R_100", "subscribe": 1})
    venue.advance(instants)
    told = [frame["tick"] for frame in socket.take("tick")]
    source = venue.exchange.world.sources["R_100"]
    assert set(venue.fired) == {text.partition(":")[0] for text in faults}
    assert all(event["symbol"] == "R_100" for event in venue.events("fault"))
    history = socket.ask({"ticks_history": "R_100", "end": "latest", "count": instants, "style": "ticks"})["history"]
    true = [source.quote_at(START + 2 * k) for k in range(1, instants + 1)]
    assert history["prices"] == true
    return told, true


def offsets(told: list[dict[str, Any]]) -> list[int]:
    return [tick["epoch"] - START for tick in told]


def test_a_gap(market: Any) -> None:
    told, _ = heard(market, "tick_gap:nth=3,seconds=8")
    assert offsets(told) == [2, 4, 14, 16, 18, 20, 22, 24]


def test_a_repeated_tick(market: Any) -> None:
    told, true = heard(market, "tick_repeated:nth=2", instants=3)
    assert offsets(told) == [2, 4, 4, 6]
    assert [t["quote"] for t in told] == [true[0], true[1], true[1], true[2]]


def test_stalled_then_all_at_once(market: Any) -> None:
    venue = market("tick_stalled:nth=2,seconds=8")
    socket = venue.connect()
    socket.ask({"ticks": "R_100", "subscribe": 1})
    counts = []
    for _ in range(7):
        venue.advance()
        counts.append([frame["tick"]["epoch"] - START for frame in socket.take("tick")])
    assert counts == [[2], [], [], [], [], [4, 6, 8, 10, 12], [14]]


def test_frozen(market: Any) -> None:
    told, true = heard(market, "tick_frozen:nth=2,seconds=6")
    assert offsets(told) == list(range(2, 26, 2))
    assert [t["quote"] for t in told] == [true[0], true[1], true[1], true[1], *true[4:]]


def test_out_of_order(market: Any) -> None:
    told, _ = heard(market, "tick_disordered:nth=2", instants=4)
    assert offsets(told) == [2, 6, 4, 8]


def test_wild(market: Any) -> None:
    told, true = heard(market, "tick_wild", "tick_wild:factor=0", "tick_wild:factor=-1", instants=4)
    assert [t["quote"] for t in told] == [round(true[0] * 100, 2), 0, -true[2], true[3]]


def test_the_pip_size_changes(market: Any) -> None:
    told, true = heard(market, "pip_changed:nth=2,decimals=1,seconds=6", instants=5)
    assert [t["pip_size"] for t in told] == [2, 1, 1, 1, 2]
    assert [t["quote"] for t in told] == [true[0], *(round(q, 1) for q in true[1:4]), true[4]]


def test_candles_hear_the_same(market: Any) -> None:
    venue = market("tick_wild:factor=100")
    socket = venue.connect()
    socket.send({"ticks_history": "R_100", "end": "latest", "count": 2, "style": "candles", "granularity": 60,
                 "subscribe": 1})  # fmt: skip
    venue.advance(2)
    highs = [float(frame["ohlc"]["high"]) for frame in socket.take("ohlc")]
    assert all(high > 10_000 for high in highs)


def test_only_the_symbol_it_is_about(market: Any) -> None:
    venue = market("tick_gap:symbol=R_50,seconds=60")
    socket = venue.connect()
    for name in ("R_100", "R_50"):
        socket.send({"ticks": name, "subscribe": 1})
    socket.take()
    venue.advance(4)
    assert [frame["tick"]["symbol"] for frame in socket.take("tick")] == ["R_100"] * 4


def test_contracts_settle_on_what_is_true(market: Any) -> None:
    parameters = {
        "contract_type": "CALL", "amount": 10, "basis": "stake", "currency": "USD", "duration": 5,
        "duration_unit": "t", "underlying_symbol": "R_100",
    }  # fmt: skip
    settled = []
    for faults in ((), ("tick_wild:factor=-1,times=0",), ("tick_gap:seconds=100",)):
        venue = market(*faults)
        venue.trader().send({"buy": "1", "price": 10, "parameters": parameters})
        venue.advance(10)
        settled.append(venue.bought[0].settlement)
    assert settled[0] is not None
    assert settled[1] == settled[2] == settled[0]
