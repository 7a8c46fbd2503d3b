"""What a runner counts, as Prometheus metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """Everything a runner counts. Figures that live elsewhere are read when they are asked for.

    Attributes:
        ticks: ticks handled.
        connections: connections opened, the first included.
        purchases: attempts to buy, by outcome.
        inference: seconds of one prediction.
        tick_age, open_contracts, unresolved, halted, shadow_open: gauges set by ``refresh``.
        models: 1 for each loaded model by role, with its bundle and version.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.ticks = Counter("xtitan_ticks_total", "Ticks handled", registry=self.registry)
        self.connections = Counter("xtitan_sessions_total", "Venue connections opened", registry=self.registry)
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
