"""Demotion: the e-SR detector stays quiet while the edge is there and alarms when it is gone; calibration likewise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from xtitan_core.evidence.calibration_monitor import CalibrationMonitor
from xtitan_core.evidence.cash_account import EvidenceError, Outcome
from xtitan_core.evidence.detector import ALTERNATIVES, EdgeDetector

RATIO = 0.95


def edge(win_rate: float) -> float:
    return win_rate * (1.0 + RATIO) - 1.0


def outcome(won: bool) -> Outcome:
    return Outcome.WON if won else Outcome.LOST


def trades_to_alarm(detector: EdgeDetector, rng: np.random.Generator, win_rate: float, limit: int) -> int:
    for n, won in enumerate(rng.random(limit) < win_rate, 1):
        if detector.settled(RATIO, outcome(bool(won))):
            return n
    return limit


def test_at_one_payout_it_is_the_published_recursion_in_win_rates() -> None:
    rng = np.random.default_rng(4)
    p_ok = 0.536
    detector = EdgeDetector(edge(p_ok))
    rates = [(1.0 + e) / (1.0 + RATIO) for e in ALTERNATIVES]
    sums = [0.0] * len(rates)
    assert rates == pytest.approx([0.48, 0.50, 1 / 1.95, 0.525], abs=1e-9)
    for won in rng.random(500) < 0.52:
        sums = [(m + 1.0) * (p / p_ok if won else (1 - p) / (1 - p_ok)) for m, p in zip(sums, rates, strict=True)]
        detector.settled(RATIO, outcome(bool(won)))
        assert detector.statistic == pytest.approx(sum(sums) / len(sums), rel=1e-9)


def test_the_mean_time_to_a_false_alarm_is_at_least_the_threshold() -> None:
    """At the very boundary of its null, where false alarms are most frequent."""
    rng = np.random.default_rng(5)
    times = [trades_to_alarm(EdgeDetector(edge(0.536), threshold=500.0), rng, 0.536, 5_000) for _ in range(120)]
    standard_error = float(np.std(times)) / math.sqrt(len(times))
    assert np.mean(times) + 3.0 * standard_error >= 500.0


def test_a_healthy_champion_is_left_alone() -> None:
    rng = np.random.default_rng(6)
    assert all(trades_to_alarm(EdgeDetector(edge(0.536)), rng, 0.56, 20_000) == 20_000 for _ in range(3))


def test_a_dead_edge_is_found_and_a_worse_one_sooner() -> None:
    rng = np.random.default_rng(7)
    delay = {
        rate: float(np.mean([trades_to_alarm(EdgeDetector(edge(0.536)), rng, rate, 20_000) for _ in range(12)]))
        for rate in (0.50, 0.48)
    }
    assert delay[0.48] < delay[0.50]
    assert delay[0.50] == pytest.approx(10.7 * 200, rel=0.35), "published: 10.7 days of 200 trades"


def test_an_alarm_stays_on() -> None:
    detector = EdgeDetector(0.05, threshold=1_000.0)
    while not detector.settled(RATIO, Outcome.LOST):
        assert detector.statistic < 1_000.0
    before = detector.statistic
    for _ in range(20):
        assert detector.settled(RATIO, Outcome.WON)
    assert detector.statistic < before
    assert detector.alarm


def test_a_refund_changes_nothing_and_nonsense_is_refused() -> None:
    detector = EdgeDetector(0.05)
    detector.settled(RATIO, Outcome.REFUNDED)
    assert detector.statistic == 0.0
    with pytest.raises(EvidenceError, match="cannot be earned"):
        detector.settled(0.04, Outcome.WON)
    with pytest.raises(EvidenceError, match="alternative"):
        EdgeDetector(-0.5)


def calibration_alarm(rng: np.random.Generator, n: int, claimed: float, true: float) -> int:
    monitor = CalibrationMonitor()
    for i, won in enumerate(rng.random(n) < true, 1):
        if monitor.settled(claimed, 1 / 1.95, bool(won)):
            return i
    return n + 1


def test_calibrated_predictions_raise_no_alarm() -> None:
    rng = np.random.default_rng(8)
    assert all(calibration_alarm(rng, 5_000, p, p) > 5_000 for p in (0.45, 0.5128, 0.56, 0.7))


def test_predictions_without_skill_are_found_out() -> None:
    rng = np.random.default_rng(9)
    assert calibration_alarm(rng, 10_000, 0.58, 0.50) <= 10_000


def test_the_monitor_survives_being_certain_and_wrong() -> None:
    monitor = CalibrationMonitor()
    for _ in range(3_000):
        monitor.settled(1.0, 0.5, False)
    assert monitor.alarm
    assert monitor.evidence == float("inf") or monitor.evidence > 1e300
    with pytest.raises(EvidenceError):
        monitor.settled(1.2, 0.5, True)
