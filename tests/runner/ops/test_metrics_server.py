"""The metrics port: loopback only, figures as of the moment they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from prometheus_client import generate_latest

from live_runner.metrics import Metrics
from live_runner.ops.metrics_server import MetricsServer


async def test_metrics_are_refreshed_and_health_has_a_status_code() -> None:
    metrics = Metrics()
    state: dict[str, Any] = {"ok": True, "halted": False}
    server = MetricsServer(metrics, lambda: metrics.tick_age.set(4.5), lambda: state)
    port = await server.start(0)
    metrics.ticks.inc(3)
    metrics.purchases.labels("bought").inc()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        text = (await http.get("/metrics")).text
        assert "xtitan_ticks_total 3.0" in text
        assert 'xtitan_purchases_total{outcome="bought"} 1.0' in text
        assert "xtitan_tick_age_seconds 4.5" in text
        assert (await http.get("/healthz")).json() == state
        state["ok"] = False
        assert (await http.get("/healthz")).status_code == 503
    await server.stop()


def test_names_and_labels_are_those_of_build_0_1_0() -> None:
    metrics = Metrics()
    metrics.ticks.inc(3)
    metrics.connections.inc()
    metrics.purchases.labels("bought").inc()
    metrics.inference.observe(0.0004)
    gauges = (metrics.tick_age, metrics.open_contracts, metrics.unresolved, metrics.halted, metrics.shadow_open)
    for gauge, value in zip(gauges, (4.5, 2, 1, 1, 5), strict=True):
        gauge.set(value)
    metrics.models.labels("champion", "ab" * 32, "2").set(1)
    lines = generate_latest(metrics.registry).decode().splitlines(keepends=True)
    said = (Path(__file__).parents[1] / "made_by_0_1_0" / "metrics.txt").read_text()
    assert "".join(line for line in lines if "_created" not in line) == said


async def test_two_runners_do_not_share_counters() -> None:
    one, other = Metrics(), Metrics()
    one.ticks.inc()
    assert other.registry.get_sample_value("xtitan_ticks_total") == 0.0
