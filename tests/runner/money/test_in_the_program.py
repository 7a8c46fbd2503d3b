"""The running program against the running exchange: every limit blocks, every stop ends, nothing foreign is taken.

Time is the exchange's; what was bought is read from the exchange's own books, never from the runner.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xtitan_core.bundle.manifest import DecisionRule
from xtitan_core.journal import DecisionRecord, MissedRecord, TradeRecord, read_journal

START = 1_772_409_600
DAY = 86_400
Start = Callable[..., Any]
pytestmark = pytest.mark.slow


def records(host: Any, kind: type) -> list[Any]:
    return [r for segment in read_journal(host.journal) for r in segment.records if isinstance(r, kind)]


def reasons(host: Any) -> set[str]:
    return {r.reason for r in records(host, MissedRecord)}


def limited(tmp_path: Path, limits: str = "", settings: str = "") -> tuple[str, str]:
    """``--config`` with some limits."""
    file = tmp_path / "limits.toml"
    file.write_text(f"{settings}\n[limits]\n{limits}\n")
    return "--config", str(file)


def eager(host: Any, slot_seconds: int = 14, **changes: Any) -> str:
    """A champion that buys at nearly every slot; its id."""
    rule = DecisionRule(min_edge=0.0, slot_seconds=slot_seconds, latency_seconds=0)
    bundle_id = str(host.releases.bundle(weight=8_000.0, decision=rule, **changes))
    host.releases.point("champion", bundle_id)
    return bundle_id


def cents(amount: object) -> int:
    return round(float(str(amount)) * 100)


def bought(venue: Any) -> list[dict[str, Any]]:
    return sorted(venue.truth()["buys"], key=lambda buy: buy["purchase_time"])


def test_the_stake_limit(host: Any, exchange: Start, tmp_path: Path) -> None:
    venue = exchange()
    eager(host)
    host.run(venue, "--stop-after-slots", "20", *limited(tmp_path, "max_stake_cents = 40"))
    assert bought(venue) == []
    assert "blocked: stake" in reasons(host)


def test_the_days_loss_never_passes_its_limit_by_a_cent(host: Any, exchange: Start, tmp_path: Path) -> None:
    venue = exchange(market="fair")
    eager(host)
    limit = 401
    host.run(venue, "--stop-after-slots", "500", *limited(tmp_path, f"max_day_loss_cents = {limit}"), symbol="R_100")
    buys = bought(venue)
    assert len(buys) > 3
    loss = 0
    for buy in buys:  # at most one is open at a time
        assert max(loss, 0) + cents(buy["buy_price"]) <= limit
        loss += cents(buy["buy_price"]) - cents(buy["sell_price"])
    assert loss <= limit
    assert {"blocked: day_loss", "blocked: day_stopped"} <= reasons(host)
    again = host.run(
        venue, "--stop-after-slots", "20", *limited(tmp_path, f"max_day_loss_cents = {limit}"), symbol="R_100"
    )
    assert again.summary["day_stopped"] is True
    assert len(bought(venue)) == len(buys), "a restart resets nothing"


@pytest.mark.parametrize("most", [1, 2])
def test_the_limit_on_open_contracts(host: Any, exchange: Start, tmp_path: Path, most: int) -> None:
    venue = exchange()
    eager(host, slot_seconds=2)
    host.run(
        venue,
        *("--stop-after-slots", "120"),
        *limited(tmp_path, f"max_open_contracts = {most}\nmax_buys_per_minute = 100"),
    )
    starts = [buy["purchase_time"] for buy in bought(venue)]
    overlap = max(sum(s <= t < s + 12 for s in starts) for t in starts)  # entry after 2 s, the fifth tick 10 s later
    assert overlap == most
    assert "blocked: open_contracts" in reasons(host)


def test_the_rate_limit_across_a_restart(host: Any, exchange: Start, tmp_path: Path) -> None:
    venue = exchange()
    eager(host)
    for _ in range(3):
        host.run(venue, "--stop-after-slots", "15", *limited(tmp_path, "max_buys_per_minute = 2"))
    starts = [buy["purchase_time"] for buy in bought(venue)]
    assert len(starts) > 6
    assert all(later - first >= 60 for first, later in zip(starts, starts[2:], strict=False))
    assert "blocked: rate" in reasons(host)


def test_nothing_is_bought_or_counted_on_ticks_that_waited_too_long(
    host: Any, exchange: Start, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    venue = exchange("--speed", "20")
    eager(host, slot_seconds=2)
    # Patience of 15 venue seconds is most of a second here, so that a busy machine does not make every tick stale.
    patient = limited(tmp_path, "max_tick_age_s = 15.0\nmax_quote_age_s = 10.0\nmax_rtt_s = 10.0")
    runner = host.start(venue, *patient)
    eventually(lambda: len(bought(venue)) > 0)
    runner.signal(signal.SIGSTOP)
    stopped = venue.truth()["epoch"]
    eventually(lambda: venue.truth()["epoch"] > stopped + 50)
    runner.signal(signal.SIGCONT)
    eventually(lambda: "stale_tick" in host.status()["missed"])
    runner.signal(signal.SIGTERM)
    assert runner.end().code == 0
    assert "stale_tick" in reasons(host)
    decided = {d.decision_id: d.epoch for d in records(host, DecisionRecord)}
    of_contract = {t.contract_id: decided[t.decision_id] for t in records(host, TradeRecord)}
    buys = {buy["contract_id"]: buy["purchase_time"] for buy in bought(venue)}
    assert of_contract.keys() == buys.keys()
    # Sent within 15 s of its tick, by the runner's clock; the frame may take its time to the exchange.
    assert all(time - of_contract[contract_id] < 45 for contract_id, time in buys.items())


def test_an_expired_model_decides_nothing_any_more(host: Any, exchange: Start) -> None:
    venue = exchange()
    expiry = START - START % 14 + 14 * 30  # the very second of a slot
    eager(host, expires_epoch=expiry)
    host.run(venue, "--stop-after-slots", "40")
    assert len(bought(venue)) > 0
    assert max(d.epoch for d in records(host, DecisionRecord)) < expiry
    assert all(buy["purchase_time"] < expiry for buy in bought(venue))


def test_a_second_account_in_the_same_state_folder_is_refused_while_the_first_trades(
    host: Any, exchange: Start
) -> None:
    venue = exchange()
    eager(host)
    runner = host.start(venue)
    runner.wait_for_log("connected")
    ended = host.refused(venue, "--account", "DOT90000002", "--journal", str(host.folder / "journal2"))
    assert ended.code == 1
    assert "another runner" in ended.stderr
    assert host.command("halt", "--state", str(host.state)).code == 0
    assert host.status()["halted"] is True
    runner.signal(signal.SIGTERM)
    assert runner.end().summary["halted"] is True


def test_an_exchange_that_was_started_anew_is_not_taken_for_the_old_one(host: Any, exchange: Start) -> None:
    """Its market is another one: shadow trades left open would end on it, and decisions would repeat their names."""
    host.releases.point("shadow", host.releases.bundle())
    host.run(exchange(), "--stop-after-slots", "60", "--settle-every-slot")
    ended = host.run(exchange(seed=6), "--stop-after-slots", "5")
    assert ended.code == 1
    assert "another exchange session" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_sigterm_while_the_registry_does_not_answer_ends_at_once(host: Any, exchange: Start, tmp_path: Path) -> None:
    venue = exchange()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        runner = host.start(venue, "--registry", url)
        silent.settimeout(40)
        asked, _ = silent.accept()
        runner.signal(signal.SIGTERM)
        ended = runner.end()
        asked.close()
    assert ended.code == 0, ended.stderr
    assert ended.summary["stop_reason"] == "SIGTERM"
    assert "going on with what is loaded" not in ended.stderr, "it did not wait until the question timed out"


def test_sigterm_during_a_purchase_that_nobody_answers_ends_and_loses_nothing(
    host: Any, exchange: Start, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    venue = exchange()
    eager(host)
    venue.hold_answer(4)
    patient = limited(tmp_path, settings="answer_timeout_wall_seconds = 120.0\nstop_wait_wall_seconds = 0.5")
    runner = host.start(venue, *patient)
    eventually(lambda: any(not buy["answered"] for buy in bought(venue)))
    runner.signal(signal.SIGTERM)
    runner.signal(signal.SIGTERM)
    ended = runner.end()  # long before the answer would time out
    assert ended.code == 0, ended.stderr
    assert ended.summary["unresolved"] == 1
    after = host.run(venue, "--stop-after-slots", "12").summary
    assert after["unresolved"] == 0
    assert after["contracts"] == len(bought(venue))
    assert after["balance_agrees"] is True
