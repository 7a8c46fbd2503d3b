"""The loopback port that serves a runner's metrics: ``/metrics`` and ``/healthz``."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from live_runner.metrics import Metrics


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
