"""active_symbols, contracts_for, contracts_list, trading_times, ticks and ticks_history."""

from __future__ import annotations

from typing import Any

import pytest

START = 1_772_409_600


def test_active_symbols_carry_the_increment_as_pip_size(venue: Any) -> None:
    rows = venue(planted=True).connect().ask({"active_symbols": "brief"})["active_symbols"]
    sizes = {r["underlying_symbol"]: r["pip_size"] for r in rows}
    assert sizes.items() >= {
        "R_10": 0.001, "R_25": 0.001, "R_50": 0.0001, "R_75": 0.0001, "R_100": 0.01,
        "1HZ10V": 0.01, "1HZ25V": 0.01, "1HZ50V": 0.01, "1HZ75V": 0.01, "1HZ100V": 0.01, "PLANTED_100": 0.01,
        "BOOM500": 0.001, "stpRNG": 0.1, "JD25": 0.01, "frxEURUSD": 0.00001, "frxUSDJPY": 0.001,
    }.items()  # fmt: skip


def test_symbols_say_what_market_they_belong_to(venue: Any) -> None:
    rows = venue().connect().ask({"active_symbols": "full"})["active_symbols"]
    markets = {r["underlying_symbol"]: (r["market"], r["submarket"], r["underlying_symbol_type"]) for r in rows}
    assert markets["R_100"] == ("synthetic_index", "random_index", "stockindex")
    assert markets["frxEURUSD"] == ("forex", "major_pairs", "forex")
    assert markets["frxXAUUSD"] == ("commodities", "metals", "commodities")


def test_the_planted_symbol_exists_only_where_it_is_planted(venue: Any) -> None:
    socket = venue().connect()
    names = {r["underlying_symbol"] for r in socket.ask({"active_symbols": "full"})["active_symbols"]}
    assert "PLANTED_100" not in names
    assert socket.ask({"ticks": "PLANTED_100"})["error"]["code"] == "InvalidSymbol"


INDICES = {"R_10", "R_25", "R_50", "R_75", "R_100", "1HZ10V", "1HZ25V", "1HZ50V", "1HZ75V", "1HZ100V"}
JUMPS = {"JD10", "JD25", "JD50", "JD75", "JD100"}
FOREX = {"frxEURUSD", "frxGBPUSD", "frxUSDJPY", "frxXAUUSD"}


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["CALL"], INDICES | JUMPS | FOREX),
        (["DIGITODD", "RANGE"], INDICES | JUMPS),
        (["ONETOUCH"], INDICES),
        (["ACCU"], set()),
    ],
)
def test_active_symbols_of_contract_types(venue: Any, types: list[str], expected: set[str]) -> None:
    rows = venue().connect().ask({"active_symbols": "brief", "contract_type": types})["active_symbols"]
    assert {r["underlying_symbol"] for r in rows} == expected


def spans(socket: Any, name: str) -> dict[str, set[tuple[str, str, str]]]:
    """Category to its (expiry, shortest, longest), checking the count."""
    body = socket.ask({"contracts_for": name})["contracts_for"]
    assert body["hit_count"] == len(body["available"])
    table: dict[str, set[tuple[str, str, str]]] = {}
    for row in body["available"]:
        kept = (row["expiry_type"], row["min_contract_duration"], row["max_contract_duration"])
        table.setdefault(row["contract_category"], set()).add(kept)
    return table


DAILY = ("daily", "1d", "365d")


@pytest.mark.parametrize("name", ["R_100", "R_50", "1HZ10V"])
def test_what_is_offered_on_a_volatility_index_is_what_was_recorded(venue: Any, name: str) -> None:
    short, long = ("intraday", "15s", "1d"), ("intraday", "2m", "1d")
    assert spans(venue().connect(), name) == {
        "callput": {("tick", "1t", "10t"), short, DAILY},
        "callputequal": {("tick", "1t", "10t"), short, DAILY},
        "higherlower": {("tick", "5t", "10t"), short, DAILY},
        "touchnotouch": {("tick", "5t", "10t"), long, DAILY},
        "endsinout": {long, DAILY},
        "staysinout": {long, DAILY},
        "digits": {("tick", "1t", "10t")},
    }


def test_what_is_offered_elsewhere(venue: Any) -> None:
    socket = venue().connect()
    tick = ("tick", "1t", "10t")
    assert spans(socket, "JD25") == {"callput": {tick, ("intraday", "15s", "24h")}, "digits": {tick}}
    assert spans(socket, "frxEURUSD") == {"callput": {("intraday", "15m", "1d"), DAILY}}
    assert spans(socket, "frxXAUUSD") == {"callput": {("intraday", "5m", "1d"), DAILY}}
    for name in ("R_101", "BOOM500", "CRASH1000", "stpRNG"):
        assert socket.ask({"contracts_for": name})["error"]["code"] == "InvalidSymbol"


def test_default_barriers_are_offsets_within_a_day_and_levels_beyond(venue: Any) -> None:
    socket = venue().connect()
    rows = socket.ask({"contracts_for": "R_100"})["contracts_for"]["available"]
    seen = {(r["contract_type"], r["expiry_type"]): r for r in rows}
    assert seen["HIGHER", "intraday"]["barrier"].startswith("+0.")
    assert float(seen["HIGHER", "daily"]["barrier"]) == pytest.approx(640, rel=0.1)
    assert seen["RANGE", "intraday"]["low_barrier"].startswith("-1.")
    assert float(seen["RANGE", "daily"]["low_barrier"]) < float(seen["RANGE", "daily"]["high_barrier"])
    assert seen["DIGITOVER", "tick"]["last_digit_range"] == list(range(9))
    assert seen["DIGITUNDER", "tick"]["last_digit_range"] == list(range(1, 10))
    assert {r["contract_type"]: r["barriers"] for r in rows}.items() >= {
        "CALL": 0, "HIGHER": 1, "ONETOUCH": 1, "RANGE": 2, "EXPIRYMISSE": 2, "DIGITMATCH": 1, "DIGITODD": 0,
    }.items()  # fmt: skip


def test_every_suggested_barrier_can_be_quoted(venue: Any) -> None:
    socket = venue().connect()
    for row in socket.ask({"contracts_for": "R_100"})["contracts_for"]["available"]:
        shortest = row["min_contract_duration"]
        barriers = {
            "barrier": row.get("barrier") or row.get("high_barrier") or ("5" if "last_digit_range" in row else None),
            "barrier2": row.get("low_barrier"),
        }
        request = {
            "proposal": 1, "amount": 100, "basis": "payout", "contract_type": row["contract_type"], "currency": "USD",
            "duration": int(shortest[:-1]), "duration_unit": shortest[-1], "underlying_symbol": "R_100",
            **{k: v for k, v in barriers.items() if v is not None},
        }  # fmt: skip
        assert "error" not in socket.ask(request), row


def test_the_categories_on_offer(venue: Any) -> None:
    rows = venue().connect().ask({"contracts_list": 1})["contracts_list"]
    table = {r["contract_category"]: r["contract_types"] for r in rows}
    assert table["staysinout"] == ["RANGE", "UPORDOWN"]
    assert sum(map(len, table.values())) == 20
    assert "accumulator" not in table


def hours(socket: Any, day: str) -> dict[str, tuple[str, str, int]]:
    markets = socket.ask({"trading_times": day})["trading_times"]["markets"]
    return {
        s["underlying_symbol"]: (s["times"]["open"][0], s["times"]["close"][0], len(s["trading_days"]))
        for market in markets
        for submarket in market["submarkets"]
        for s in submarket["symbols"]
    }


def test_trading_times(venue: Any) -> None:
    socket = venue().connect()
    monday = hours(socket, "today")
    assert monday["R_100"] == ("00:00:00", "23:59:59", 7)
    assert monday["frxEURUSD"] == ("00:00:00", "23:59:59", 5)
    assert hours(socket, "2026-03-06")["frxEURUSD"] == ("00:00:00", "20:55:00", 5)
    assert hours(socket, "2026-03-07")["frxEURUSD"] == ("--", "--", 5)
    assert hours(socket, "2026-03-07")["R_100"] == ("00:00:00", "23:59:59", 7)
    assert socket.ask({"trading_times": "2026-13-45"})["error"]["code"] == "InputValidationFailed"


def test_forex_is_closed_at_the_weekend(venue: Any) -> None:
    market = venue(start=START + 5 * 86_400)
    socket = market.connect()
    rows = socket.ask({"active_symbols": "brief"})["active_symbols"]
    opened = {r["underlying_symbol"]: r["exchange_is_open"] for r in rows}
    assert (opened["R_100"], opened["frxEURUSD"], opened["frxXAUUSD"]) == (1, 0, 0)
    request = {
        "proposal": 1, "amount": 10, "basis": "stake", "contract_type": "CALL", "currency": "USD", "duration": 15,
        "duration_unit": "m", "underlying_symbol": "frxEURUSD",
    }  # fmt: skip
    assert socket.ask(request)["error"] == {
        "code": "MarketIsClosed",
        "message": "This market is presently closed.",
    }


def test_a_tick_and_its_stream(venue: Any) -> None:
    market = venue()
    socket = market.connect()
    once = socket.ask({"ticks": "R_100", "req_id": 1})
    assert once["tick"]["epoch"] == START
    assert "subscription" not in once
    assert "id" not in once["tick"]
    first = socket.ask({"ticks": "R_100", "subscribe": 1, "req_id": 2})
    assert first["tick"]["epoch"] == START
    market.advance(2)
    later = socket.take()
    assert [f["tick"]["epoch"] for f in later] == [START + 2, START + 4]
    for frame in (first, *later):
        assert frame["msg_type"] == "tick"
        assert frame["req_id"] == 2
        assert frame["echo_req"] == {"ticks": "R_100", "subscribe": 1, "req_id": 2}
        assert frame["subscription"]["id"] == frame["tick"]["id"]
        assert frame["tick"]["pip_size"] == 2
        assert frame["tick"]["ask"] - frame["tick"]["quote"] == pytest.approx(0.07)
    assert socket.ask({"ticks": "R_100", "subscribe": 1})["error"] == {
        "code": "AlreadySubscribed",
        "message": "You are already subscribed to R_100",
    }


def test_several_symbols_in_one_request(venue: Any) -> None:
    market = venue()
    socket = market.connect()
    socket.send({"ticks": ["R_100", "1HZ100V"], "subscribe": 1})
    assert [f["tick"]["symbol"] for f in socket.take()] == ["R_100", "1HZ100V"]
    market.advance_to(START + 4)
    assert [f["tick"]["symbol"] for f in socket.take("tick")].count("1HZ100V") == 4


def test_subscriptions_are_capped(venue: Any) -> None:
    socket = venue().connect()
    grains = (60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400)
    for name in ("R_10", "R_25", "R_50", "R_75", "R_100", "1HZ10V", "1HZ25V", "1HZ50V", "1HZ75V", "1HZ100V"):
        for grain in grains:
            request = {"ticks_history": name, "end": "latest", "count": 1, "style": "candles", "granularity": grain}
            assert "error" not in socket.ask({**request, "subscribe": 1})
    assert socket.ask({"ticks": "R_100", "subscribe": 1})["error"]["code"] == "RateLimit"


# History


def history(socket: Any, **request: Any) -> tuple[list[int], list[float]]:
    body = socket.ask({"ticks_history": "R_100", **request})["history"]
    return body["times"], body["prices"]


def test_the_latest_ticks(venue: Any) -> None:
    market = venue()
    market.advance(3)
    socket = market.connect()
    frame = socket.ask({"ticks_history": "R_100", "end": "latest", "count": 4})
    assert (frame["msg_type"], frame["pip_size"]) == ("history", 2)
    assert frame["history"]["times"] == [START, START + 2, START + 4, START + 6]
    assert frame["history"]["prices"][-1] == socket.ask({"ticks": "R_100"})["tick"]["quote"]


def test_a_range_gives_its_latest_ticks_end_included(venue: Any) -> None:
    socket = venue().connect()
    times, prices = history(socket, start=START - 3_600, end=str(START - 600), count=100)
    assert times == list(range(START - 600 - 198, START - 598, 2))
    assert len(prices) == 100
    assert len(history(socket, start=START - 3_600, end=str(START - 600))[0]) == 1_000
    assert history(socket, start=START - 5, end=str(START - 1))[0] == [START - 4, START - 2]


def test_pages_join_without_gap_or_overlap(venue: Any) -> None:
    socket = venue().connect()
    end, pages = START, []
    for _ in range(4):
        times, _ = history(socket, end=str(end), count=5_000)
        pages.append(times)
        end = times[0] - 1
    joined = [t for page in reversed(pages) for t in page]
    assert joined == list(range(START - 2 * 19_999, START + 2, 2))


def test_counts_are_capped_and_history_has_a_beginning(venue: Any) -> None:
    socket = venue().connect()
    assert len(history(socket, end="latest", count=100_000)[0]) == 5_000
    first_day = START - 86_400
    assert history(socket, end=str(first_day + 4), count=10)[0] == [first_day, first_day + 2, first_day + 4]
    assert history(socket, end=str(first_day - 1), count=10) == ([], [])
    assert history(socket, start=0, end="5", count=10) == ([], [])


def test_nothing_from_the_future(venue: Any) -> None:
    socket = venue().connect()
    assert history(socket, end=str(START + 500), count=3)[0] == [START - 4, START - 2, START]
    assert socket.ask({"ticks_history": "R_100", "end": "latest", "start": START + 2})["error"]["code"] == (
        "InvalidStartEnd"
    )


@pytest.mark.parametrize("count", [0, -1])
def test_a_count_below_one_is_refused(venue: Any, count: int) -> None:
    socket = venue().connect()
    error = socket.ask({"ticks_history": "R_100", "end": "latest", "count": count})["error"]
    assert error["code"] == "InputValidationFailed"


def test_history_goes_back_over_a_gap(venue: Any, recorded: Any) -> None:
    ticks = {START - 900: 640.0, START - 898: 641.0, START: 642.0, START + 2: 643.0}
    market = venue(recorded("R_100", ticks, START))
    socket = market.connect()
    assert history(socket, end="latest", count=3)[0] == [START - 900, START - 898, START]
    assert market.advance() == START + 2


def test_an_end_in_a_closed_market_moves_back_to_the_close_when_asked_to(venue: Any) -> None:
    saturday = START + 5 * 86_400
    close = saturday - 3 * 3_600 - 300
    socket = venue(start=saturday).connect()
    request = {"ticks_history": "frxEURUSD", "start": saturday - 60, "end": "latest"}
    assert socket.ask(request)["history"]["times"] == []
    times = socket.ask({**request, "adjust_start_time": 1})["history"]["times"]
    assert times
    assert close - 60 <= times[0] <= times[-1] == close
    hours = {"style": "candles", "granularity": 3_600, "count": 4}
    candles = socket.ask({"ticks_history": "frxEURUSD", "end": "latest", "adjust_start_time": 1, **hours})["candles"]
    assert [row["epoch"] for row in candles] == [close // 3_600 * 3_600 + 3_600 * n for n in (-3, -2, -1, 0)]
    index = {"ticks_history": "R_100", "start": saturday - 6, "end": "latest"}
    assert socket.ask({**index, "adjust_start_time": 1})["history"] == socket.ask(index)["history"]


def test_history_continues_as_a_tick_stream(venue: Any) -> None:
    market = venue()
    socket = market.connect()
    frame = socket.ask({"ticks_history": "R_100", "end": "latest", "count": 2, "subscribe": 1, "req_id": 9})
    market.advance()
    (tick,) = socket.take()
    assert tick["msg_type"] == "tick"
    assert tick["req_id"] == 9
    assert tick["subscription"] == frame["subscription"]
    assert socket.ask({"ticks": "R_100", "subscribe": 1})["error"]["code"] == "AlreadySubscribed"


# Candles


def test_candles_are_the_ticks_grouped_by_open_time(venue: Any) -> None:
    market = venue()
    market.advance_to(START + 30)
    socket = market.connect()
    request = {"ticks_history": "R_100", "end": "latest", "count": 3, "style": "candles", "granularity": 60}
    rows = socket.ask(request)["candles"]
    assert [r["epoch"] for r in rows] == [START - 120, START - 60, START]
    for row, end in zip(rows, (START - 61, START - 1, START + 30), strict=True):
        _, quotes = history(socket, start=row["epoch"], end=str(end))
        assert (row["open"], row["close"]) == (quotes[0], quotes[-1])
        assert (row["high"], row["low"]) == (max(quotes), min(quotes))


def test_candle_stream_updates_the_open_candle_in_text(venue: Any) -> None:
    market = venue()
    market.advance_to(START + 50)
    socket = market.connect()
    request = {"ticks_history": "R_100", "end": "latest", "count": 1, "style": "candles", "subscribe": 1}
    (begun,) = socket.ask(request)["candles"]
    market.advance_to(START + 64)
    updates = [f["ohlc"] for f in socket.take()]
    assert [u["open_time"] for u in updates] == [START] * 4 + [START + 60] * 3
    assert {u["granularity"] for u in updates} == {60}
    assert updates[0]["open"] == f"{begun['open']:.2f}"
    full = socket.ask({**{k: v for k, v in request.items() if k != "subscribe"}, "count": 2})["candles"]
    assert [updates[3][k] for k in ("open", "high", "low", "close")] == [
        f"{full[0][k]:.2f}" for k in ("open", "high", "low", "close")
    ]
    assert [updates[6][k] for k in ("open", "high", "low", "close")] == [
        f"{full[1][k]:.2f}" for k in ("open", "high", "low", "close")
    ]


def test_whole_quotes_lose_their_decimals_in_numbers_and_keep_them_in_text(venue: Any, recorded: Any) -> None:
    market = venue(recorded("R_100", {START: 640.0, START + 2: 641.5}, START))
    socket = market.connect()
    socket.ask({"ticks": "R_100"})
    assert '"quote":640,' in market.transcript[-1][1]
    candles = {"ticks_history": "R_100", "end": "latest", "style": "candles", "subscribe": 1}
    socket.ask(candles)
    market.advance()
    assert socket.frames[-1]["ohlc"]["close"] == "641.50"
