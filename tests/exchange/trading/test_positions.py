"""What a contract's state shows, family by family, and the open questions about it."""

from __future__ import annotations

from typing import Any

import pytest

START = 1_772_409_600
ACCOUNT = "DOT90000001"
BASE = {"amount": 10, "basis": "payout", "currency": "USD", "underlying_symbol": "R_100"}


def buy(socket: Any, **terms: Any) -> int:
    answer = socket.ask({"buy": "1", "price": 10, "parameters": {**BASE, **terms}})
    return int(answer["buy"]["contract_id"])


def state(socket: Any, contract_id: int) -> dict[str, Any]:
    return dict(socket.ask({"proposal_open_contract": 1, "contract_id": contract_id})["proposal_open_contract"])


BARRIERS = {"barrier", "high_barrier", "low_barrier"}


def shown(view: dict[str, Any]) -> dict[str, str]:
    return {k: view[k] for k in BARRIERS & set(view)}


def test_offsets_become_levels_with_the_entry(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    minutes = {"duration": 2, "duration_unit": "m"}
    touch = buy(socket, contract_type="NOTOUCH", barrier="-1.5", **minutes)
    higher = buy(socket, contract_type="HIGHER", barrier="+0.1", **minutes)
    between = buy(socket, contract_type="RANGE", barrier="+2", barrier2="-2.5", **minutes)
    rise = buy(socket, contract_type="CALL", **minutes)
    every = (touch, higher, between, rise)
    assert [shown(state(socket, i)) for i in every] == [{}, {}, {}, {}]
    market.advance_to(START + 2)
    views = [state(socket, i) for i in every]
    entry = float(views[0]["entry_spot"])
    assert {v["entry_spot_time"] for v in views} == {START + 2}
    assert [shown(v) for v in views] == [
        {"barrier": f"{entry - 1.5:.2f}"},
        {"barrier": f"{entry + 0.1:.2f}"},
        {"high_barrier": f"{entry + 2:.2f}", "low_barrier": f"{entry - 2.5:.2f}"},
        {"barrier": f"{entry:.2f}"},
    ]
    assert [v["barrier_count"] for v in views] == [1, 1, 2, 1]
    assert [v["is_path_dependent"] for v in views] == [1, 0, 1, 0]


def test_levels_and_digits_are_known_at_once(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    spot = market.exchange.last_tick("R_100")[1]
    level = f"{spot + 1:.2f}"
    touch = buy(socket, contract_type="ONETOUCH", barrier=level, duration=3, duration_unit="m")
    digit = buy(socket, contract_type="DIGITOVER", barrier="4", duration=5, duration_unit="t")
    even = buy(socket, contract_type="DIGITEVEN", duration=5, duration_unit="t")
    assert [shown(state(socket, i)) for i in (touch, digit, even)] == [{"barrier": level}, {"barrier": "4"}, {}]


def test_a_day_is_not_intraday(venue: Any) -> None:
    socket = venue().connect(ACCOUNT)
    level = buy(socket, contract_type="CALL", duration=2, duration_unit="d")
    view = state(socket, level)
    assert (view["is_intraday"], view["date_expiry"]) == (0, START + 3 * 86_400 - 1)
    assert state(socket, buy(socket, contract_type="CALL", duration=24, duration_unit="h"))["is_intraday"] == 1


def test_a_touch_ends_everything_on_its_tick(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    stream = socket.ask({"proposal_open_contract": 1, "subscribe": 1})["subscription"]["id"]
    minutes = {"duration": 5, "duration_unit": "m"}
    won = buy(socket, contract_type="ONETOUCH", barrier="+0.4", **minutes)
    lost = buy(socket, contract_type="NOTOUCH", barrier="+0.4", **minutes)
    while any(state(socket, i)["status"] == "open" for i in (won, lost)):
        market.advance()
    now = market.exchange.epoch
    assert now < START + 300
    last = {f["proposal_open_contract"]["contract_id"]: f for f in socket.take("proposal_open_contract")}
    for contract_id, status in ((won, "won"), (lost, "lost")):
        view = last[contract_id]["proposal_open_contract"]
        assert (view["status"], view["id"]) == (status, stream)
        assert (view["exit_spot_time"], view["sell_time"], view["date_expiry"]) == (now, now, START + 300)
        assert (view["is_expired"], view["is_settleable"]) == (1, 1)
        assert float(view["exit_spot"]) >= float(view["barrier"])
        end = view["audit_details"]["contract_end"]
        assert [(row["epoch"], row.get("name")) for row in end[-2:]] == [(now - 2, None), (now, "Exit Spot")]


def test_the_ticks_of_a_digit_contract_include_its_entry(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    contract_id = buy(socket, contract_type="DIGITODD", duration=3, duration_unit="t")
    market.advance_to(START + 8)
    view = state(socket, contract_id)
    assert (view["tick_count"], [t["epoch"] - START for t in view["tick_stream"]]) == (3, [2, 4, 6])
    odd = int(view["tick_stream"][-1]["tick_display_value"][-1]) % 2 == 1
    assert (view["status"], view["exit_spot_time"], view["sell_time"]) == (
        "won" if odd else "lost",
        START + 6,
        START + 6,
    )


def test_a_refund_is_a_cancelled_contract_with_its_stake_back(venue: Any, recorded: Any) -> None:
    world = recorded("R_100", {START - 2: 640.0, START: 640.1, START + 4: 640.2, START + 40: 640.3}, START)
    market = venue(world)
    socket = market.connect(ACCOUNT)
    contract_id = buy(socket, contract_type="CALL", duration=15, duration_unit="s")
    market.advance_to(START + 40)
    view = state(socket, contract_id)
    assert (view["status"], view["sell_price"], view["profit"]) == ("cancelled", view["buy_price"], "0.00")
    assert socket.ask({"balance": 1})["balance"]["balance"] == 10_000


def test_after_the_end_and_before_the_tick_that_settles(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    contract_id = buy(socket, contract_type="CALL", duration=15, duration_unit="s")
    market.advance_to(START + 15)
    view = state(socket, contract_id)
    assert (view["is_expired"], view["is_settleable"], view["status"]) == (1, 0, "open")


def test_a_leading_tick_on_indices_that_tick_every_second(venue: Any) -> None:
    request = {"contract_type": "CALL", "duration": 5, "duration_unit": "t"}
    seen = []
    for market in (venue(), venue(assume={"tick_count_leading": "extra"})):
        socket = market.connect(ACCOUNT)
        contracts = [buy(socket, **request, **on) for on in ({"underlying_symbol": "1HZ100V"}, {})]
        market.advance_to(START + 4)
        seen.append([[t["epoch"] - START for t in state(socket, i)["tick_stream"]] for i in contracts])
    assert seen == [[[1, 2, 3, 4], [2, 4]], [[0, 1, 2, 3, 4], [2, 4]]]


@pytest.mark.parametrize(("answer", "name"), [("shortcode", "CALL"), ("own", "HIGHER")])
def test_what_higher_is_called(venue: Any, answer: str, name: str) -> None:
    market = venue(assume={"higher_lower_shown": answer})
    socket = market.connect(ACCOUNT)
    contract_id = buy(socket, contract_type="HIGHER", barrier="+0.1", duration=5, duration_unit="t")
    view = state(socket, contract_id)
    assert (view["contract_type"], view["shortcode"].partition("_")[0]) == (name, "CALL")
    for wanted in ("CALL", "HIGHER"):
        (row,) = socket.ask({"portfolio": 1, "contract_type": [wanted]})["portfolio"]["contracts"]
        assert row["contract_type"] == name
    market.advance_to(START + 20)
    (sold,) = socket.ask({"profit_table": 1, "description": 1})["profit_table"]["transactions"]
    assert sold["contract_type"] == name


def test_a_daily_contract_runs_to_the_last_second_of_its_day(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    level = f"{market.exchange.last_tick('R_100')[1] + 1:.2f}"
    contract_id = buy(socket, contract_type="HIGHER", barrier=level, duration=1, duration_unit="d")
    midnight = START + 2 * 86_400
    market.advance_to(midnight - 1)
    assert state(socket, contract_id)["status"] == "open"
    market.advance_to(midnight)
    view = state(socket, contract_id)
    assert (view["date_expiry"], view["exit_spot_time"], view["sell_time"]) == (midnight - 1, midnight - 2, midnight)
    assert view["status"] == ("won" if float(view["exit_spot"]) > float(level) else "lost")


def test_what_ends_with_the_week_is_settled_by_the_next_ones_first_tick(venue: Any) -> None:
    friday, monday = START + 4 * 86_400 + 20 * 3_600, START + 7 * 86_400
    market = venue()
    socket = market.connect(ACCOUNT)
    market.advance_to(friday)
    request = {"contract_type": "CALL", "duration": 55, "duration_unit": "m", "underlying_symbol": "frxEURUSD"}
    contract_id = buy(socket, **request)
    market.advance_to(friday + 7_200)
    assert (state(socket, contract_id)["status"], state(socket, contract_id)["is_expired"]) == ("open", 1)
    answer = socket.ask({"buy": "1", "price": 10, "parameters": {**BASE, **request}})
    assert answer["error"]["code"] == "MarketIsClosed"
    market.advance_to(monday + 60)
    view = state(socket, contract_id)
    assert view["exit_spot_time"] <= friday + 3_300 < monday <= view["sell_time"]
