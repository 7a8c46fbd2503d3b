"""Prometheus metrics and the loopback port that serves them: ``/metrics`` and ``/healthz``."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Metrics:
    """Everything a runner counts. Figures that live elsewhere are read when they are asked for.

    Attributes:
        ticks: ticks handled.
        sessions: connections opened, the first included.
        purchases: attempts to buy, by outcome.
        inference: seconds of one prediction.
        tick_age, open_contracts, unresolved, halted, shadow_open: gauges set by ``refresh``.
        models: 1 for each loaded model by role, with its bundle and version.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.ticks = Counter("xtitan_ticks_total", "Ticks handled", registry=self.registry)
        self.sessions = Counter("xtitan_sessions_total", "Venue connections opened", registry=self.registry)
        self.purchases = Counter(
            "xtitan_purchases_total", "Attempts to buy, by outcome", ["outcome"], registry=self.registry
        )
        self.inference = Histogram(
            "xtitan_inference_seconds",
            "Time of one prediction",
            buckets=(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.1),
            registry=self.registry,
        )
        self.tick_age = Gauge("xtitan_tick_age_seconds", "Venue seconds since the newest tick", registry=self.registry)
        self.open_contracts = Gauge("xtitan_open_contracts", "Contracts bought and not settled", registry=self.registry)
        self.unresolved = Gauge("xtitan_unresolved_intents", "Purchases of unknown outcome", registry=self.registry)
        self.halted = Gauge("xtitan_halted", "1 while nothing may be bought", registry=self.registry)
        self.shadow_open = Gauge("xtitan_shadow_open", "Shadow trades not settled", registry=self.registry)
        self.models = Gauge(
            "xtitan_model_info", "Loaded models", ["slot", "bundle_id", "version"], registry=self.registry
        )


class _QuietServer(uvicorn.Server):
    """A server that leaves the process's signals to the runner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class MetricsServer:
    """Serves a runner's metrics on the loopback interface only."""

    def __init__(self, metrics: Metrics, refresh: Callable[[], None], health: Callable[[], dict[str, Any]]) -> None:
        """Nothing listens yet.

        Args:
            metrics: what to serve.
            refresh: brings the gauges up to date before they are served.
            health: the body of ``/healthz``; its ``ok`` decides between status 200 and 503.
        """

        async def serve_metrics(_: Request) -> Response:
            refresh()
            return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

        async def serve_health(_: Request) -> Response:
            body = health()
            return JSONResponse(body, status_code=200 if body.get("ok") else 503)

        self._app = Starlette(
            routes=[Route("/metrics", serve_metrics), Route("/healthz", serve_health)],
        )
        self._task: asyncio.Task[None] | None = None
        self._server: uvicorn.Server | None = None

    async def start(self, port: int) -> int:
        """Listen on 127.0.0.1.

        Args:
            port: 0 picks a free one.

        Returns:
            The port.

        Raises:
            OSError: when the port is taken.
        """
        listener = socket.create_server(("127.0.0.1", port))
        config = uvicorn.Config(self._app, log_level="warning", lifespan="off", ws="none", access_log=False)
        self._server = _QuietServer(config)
        self._task = asyncio.create_task(self._server.serve([listener]), name="metrics")
        return int(listener.getsockname()[1])

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
