"""The metrics port: loopback only, figures as of the moment they are asked for."""

from __future__ import annotations

from typing import Any

import httpx

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


async def test_two_runners_do_not_share_counters() -> None:
    one, other = Metrics(), Metrics()
    one.ticks.inc()
    assert other.registry.get_sample_value("xtitan_ticks_total") == 0.0
