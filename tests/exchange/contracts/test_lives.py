"""Every family over random paths: the exchange settles what ``xtitan_core.contracts`` settles, when it does, to the cent.

The reference contract is built here from the request, not taken from the exchange, and is held against all ticks of
the market up to each instant.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from paper_exchange.exchange import Exchange
from paper_exchange.markets.recording import Ticks
from paper_exchange.markets.world import build_world
from paper_exchange.net.virtual import VirtualSocket, VirtualVenue
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.state import Settings
from xtitan_core.contracts import TOUCH, Contract, ContractType, DurationUnit, settle
from xtitan_core.randomness import stream

START = 1_770_000_000
DECIMALS = 2
SPOT = 640.00
ACCOUNT = "DOT90000001"

Wanted = tuple[str, int, str, tuple[str, ...]]

# Barriers and steps are multiples of five pips, so that quotes often lie on a barrier exactly.
NEAR = st.integers(1, 12).map(lambda size: f"{size / 20:.2f}")
FAR = st.integers(20, 50).map(lambda size: f"{size / 20:.2f}")
LEVELS = st.integers(4, 16).map(lambda size: size / 20)


def offset(sign: str) -> st.SearchStrategy[tuple[str, ...]]:
    return NEAR.map(lambda size: (sign + size,))


NOTHING = st.just(())
EITHER = offset("+") | offset("-")
BOTH = st.tuples(NEAR.map(lambda size: "+" + size), NEAR.map(lambda size: "-" + size))
WIDE = st.tuples(FAR.map(lambda size: "+" + size), FAR.map(lambda size: "-" + size))
LEVEL = LEVELS.flatmap(lambda size: st.sampled_from([(f"{SPOT + size:.2f}",), (f"{SPOT - size:.2f}",)]))
BAND = st.tuples(LEVELS.map(lambda s: f"{SPOT + s:.2f}"), LEVELS.map(lambda s: f"{SPOT - s:.2f}"))
TICKS, LONGER = st.tuples(st.integers(5, 10), st.just("t")), st.tuples(st.integers(120, 150), st.just("s"))
SHORT = st.tuples(st.integers(1, 10), st.just("t")) | st.tuples(st.integers(15, 60), st.just("s"))
FAMILIES = {
    ("CALL", "PUT", "CALLE", "PUTE"): (SHORT, NOTHING),
    ("HIGHER", "LOWER"): (TICKS | st.tuples(st.integers(15, 60), st.just("s")), EITHER | LEVEL),
    ("ONETOUCH", "NOTOUCH"): (TICKS | LONGER, EITHER | LEVEL),
    ("RANGE", "UPORDOWN"): (LONGER, WIDE),
    ("EXPIRYRANGE", "EXPIRYMISS", "EXPIRYRANGEE", "EXPIRYMISSE"): (LONGER, BOTH | BAND),
    ("DIGITMATCH", "DIGITDIFF", "DIGITUNDER"): (TICKS, st.integers(1, 9).map(lambda digit: (str(digit),))),
    ("DIGITOVER",): (TICKS, st.integers(0, 8).map(lambda digit: (str(digit),))),
    ("DIGITODD", "DIGITEVEN"): (st.tuples(st.integers(1, 10), st.just("t")), NOTHING),
}


@st.composite
def purchases(draw: st.DrawFn) -> list[tuple[int, Wanted]]:
    """Three contracts of different families and when they are bought, seconds after the start, in order."""
    families = draw(st.permutations(list(FAMILIES)))[:3]
    times = sorted(draw(st.lists(st.integers(0, 20), min_size=3, max_size=3)))
    bought = []
    for family, time in zip(families, times, strict=True):
        durations, barriers = FAMILIES[family]
        (duration, unit), bounds = draw(durations), draw(barriers)
        bought.append((time, (draw(st.sampled_from(family)), duration, unit, bounds)))
    return bought


@st.composite
def paths(draw: st.DrawFn) -> dict[int, float]:
    """Ticks every two seconds, up to 20 pips a step, ties among them; some missing, and sometimes a long silence."""
    # Drawn evenly, from a seed: bytes of hypothesis' own lean to the ends and would all walk the same way.
    random = stream(draw(st.integers(0, 10**9)), "path")
    steps, heard = random.integers(-4, 5, 110).tolist(), (random.random(110) < 0.96).tolist()
    silent_from, silent_for = draw(st.sampled_from([(0, 0), (0, 0), (0, 0), (4, 20), (8, 290)]))
    ticks, quote, epoch = {START: SPOT}, SPOT, START
    for k, step in enumerate(steps):
        epoch += 2 + (silent_for if k == silent_from else 0)
        quote = round(quote + step / 20, DECIMALS)
        if heard[k]:
            ticks[epoch] = quote
    return ticks


def market_of(ticks: dict[int, float]) -> VirtualVenue:
    last = max(ticks)
    everything = {START - 2: SPOT, **ticks, last + 2: SPOT, last + 1_000: SPOT, last + 1_002: SPOT}
    epochs = np.asarray(sorted(everything), dtype=np.int64)
    quotes = np.asarray([everything[e] for e in epochs.tolist()])
    marks = [e < START for e in epochs.tolist()]
    world = build_world(
        seed=1, today=START + 2e7, history_days=1, recording=Ticks(epochs, quotes, marks), recorded_symbol="R_100"
    )
    return VirtualVenue(Exchange(world, [Account(ACCOUNT, 0.012)], Settings(lockstep=False, budget_factor=10_000)))


def parameters(wanted: Wanted) -> dict[str, Any]:
    kind, duration, unit, bounds = wanted
    named = dict(zip(("barrier", "barrier2"), bounds, strict=False))
    return {
        "amount": 10,
        "basis": "payout",
        "contract_type": kind,
        "currency": "USD",
        "duration": duration,
        "duration_unit": unit,
        "underlying_symbol": "R_100",
        **named,
    }


def reference(wanted: Wanted, spot: float) -> Contract:
    name, duration, unit, bounds = wanted
    kind = ContractType(name)
    if kind.value.startswith("DIGIT"):
        return Contract(kind, duration, DurationUnit(unit), digit=int(bounds[0]) if bounds else None)
    levels = [float(text) for text in bounds] + [None, None]
    absolute = bool(bounds) and bounds[0][0] not in "+-"
    below = float(bounds[0]) < spot if absolute and kind in TOUCH else None
    return Contract(kind, duration, DurationUnit(unit), levels[0], levels[1], absolute, below)


@settings(max_examples=80, deadline=None)
@given(paths(), purchases())
def test_lives(ticks: dict[int, float], wanted: list[tuple[int, Wanted]]) -> None:
    market = market_of(ticks)
    source = market.exchange.world.sources["R_100"]
    socket = market.connect(ACCOUNT)
    cash = socket.ask({"transaction": 1, "subscribe": 1})["subscription"]["id"]
    socket.ask({"proposal_open_contract": 1, "subscribe": 1})
    bought: dict[int, tuple[Contract, int]] = {}
    told: list[dict[str, Any]] = []
    for time, each in wanted:
        told += follow(market, socket, bought, until=START + time)
        receipt = socket.ask({"buy": "1", "price": 10, "parameters": parameters(each)})
        at = source.previous_epoch(START + time)
        assert at is not None
        if "error" in receipt:
            # The path ran past the barrier, a sure thing has no price, or a tick is missing just then.
            codes = {"InvalidBarrierRange", "InvalidBarrierForSpot", "ContractBuyValidationError", "StakeLimits"}
            assert receipt["error"]["code"] in (codes | {"OldMarketData"} if at + 2 <= START + time else codes)
            continue
        spot = source.quote_at(at)
        assert spot is not None
        bought[receipt["buy"]["contract_id"]] = reference(each, spot), START + time
        frames = socket.take()
        assert [f["msg_type"] for f in frames[:2]] == ["transaction", "proposal_open_contract"]
        told += frames
    told += follow(market, socket, bought, until=market.exchange.world.end - 1)
    assert not market.exchange.accounts[ACCOUNT].open
    check_cash(socket, [f["transaction"] for f in told if f["msg_type"] == "transaction"], cash)


def follow(
    market: VirtualVenue, socket: VirtualSocket, bought: dict[int, tuple[Contract, int]], until: int
) -> list[dict[str, Any]]:
    """Let time run; at every instant the books and the frames are what the reference says. Returns all frames."""
    told: list[dict[str, Any]] = []
    source = market.exchange.world.sources["R_100"]
    while (at := market.exchange.next_instant()) is not None and at <= until:
        before = set(market.exchange.accounts[ACCOUNT].open)
        market.advance_to(at)
        frames = socket.take()
        told += frames
        epochs, quotes = source.between(START - 2, at)
        still = {i for i in before if settle(bought[i][0], bought[i][1], epochs, quotes, DECIMALS) is None}
        rows = socket.ask({"portfolio": 1})["portfolio"]["contracts"]
        assert {row["contract_id"] for row in rows} == still
        closed = socket.ask({"profit_table": 1, "description": 1})["profit_table"]["transactions"]
        assert {row["contract_id"] for row in closed} == set(bought) - still
        for contract_id in before - still:
            check_end(contract_id, bought[contract_id], frames, closed, (epochs, quotes), at)
    market.advance_to(until)
    return told + socket.take()


def check_end(
    contract_id: int,
    bought: tuple[Contract, int],
    frames: list[dict[str, Any]],
    closed: list[dict[str, Any]],
    ticks: tuple[Any, Any],
    now: int,
) -> None:
    """One contract ended now: cash first, then its last state, and the books agree with the reference."""
    end = settle(*bought, *ticks, DECIMALS)
    assert end is not None
    mine = [f for f in frames if f[f["msg_type"]].get("contract_id") == contract_id]
    assert [f["msg_type"] for f in mine] == ["transaction", "proposal_open_contract"]
    sale, view = mine[0]["transaction"], mine[1]["proposal_open_contract"]
    status, due = {
        True: ("won", Decimal(view["payout"])),
        False: ("lost", Decimal(0)),
        None: ("cancelled", Decimal(view["buy_price"])),
    }[end.won]
    assert (sale["action"], Decimal(str(sale["amount"])), sale["transaction_time"]) == ("sell", due, now)
    assert (view["status"], Decimal(view["sell_price"]), view["sell_time"]) == (status, due, now)
    assert (view["is_sold"], view["is_expired"], view["is_settleable"]) == (1, 1, 1)
    assert (view["entry_spot"], view["entry_spot_time"]) == (f"{end.entry:.2f}", end.entry_epoch)
    assert (view["exit_spot"], view["exit_spot_time"]) == (f"{end.exit:.2f}", end.exit_epoch)
    row = next(row for row in closed if row["contract_id"] == contract_id)
    assert (Decimal(str(row["sell_price"])), row["sell_time"]) == (due, now)


def check_cash(socket: VirtualSocket, told: list[dict[str, Any]], stream: str) -> None:
    """Every row follows from the one before; the stream told each of them, in order."""
    rows = socket.ask({"statement": 1, "limit": 999})["statement"]["transactions"][::-1]
    balance = Decimal(10_000)
    for row in rows:
        balance += Decimal(str(row["amount"]))
        assert Decimal(str(row["balance_after"])) == balance
    assert [(t["transaction_id"], t["balance"]) for t in told] == [
        (row["transaction_id"], row["balance_after"]) for row in rows
    ]
    assert {t["id"] for t in told} <= {stream}
    purchases = {row["contract_id"]: row["transaction_id"] for row in rows if row["action_type"] == "buy"}
    sales = {row["contract_id"]: row["reference_id"] for row in rows if row["action_type"] == "sell"}
    assert sales == purchases
