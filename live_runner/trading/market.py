"""The one symbol's market: the newest tick, holes in the stream, and one feature stream per model spec.

A pure state machine. Ticks come from the live stream and from history; the same tick may come from both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from xtitan_core.features.spec import FeatureSpec
from xtitan_core.features.stream import FeatureStream


class TickKind(StrEnum):
    """What a tick turned out to be."""

    NEXT = "next"  # one grid step after the last tick, or the first
    REPEATED = "repeated"  # not newer than the last tick: ignored
    AFTER_GAP = "after_gap"  # ticks are missing in between: filled from history first


@dataclass(frozen=True, slots=True)
class Spot:
    """The newest tick."""

    epoch: int
    quote: float


class Market:
    """Ticks of one symbol.

    Attributes:
        symbol: Deriv's name.
        tick_seconds: expected seconds between ticks.
        spot: the newest tick, None before the first.
        gaps: holes seen in the live stream, repaired or not.
    """

    def __init__(self, symbol: str, tick_seconds: int) -> None:
        self.symbol, self.tick_seconds = symbol, tick_seconds
        self.spot: Spot | None = None
        self.gaps = 0
        self._streams: dict[str, FeatureStream] = {}

    def classify(self, epoch: int) -> TickKind:
        """What a live tick of this epoch is; nothing changes."""
        if self.spot is None:
            return TickKind.NEXT
        if epoch <= self.spot.epoch:
            return TickKind.REPEATED
        return TickKind.AFTER_GAP if epoch - self.spot.epoch > self.tick_seconds else TickKind.NEXT

    def start_at(self, tick: Spot) -> None:
        """Take the first tick of a connection as the newest, unless there is one already: then history led up to it."""
        if self.spot is None:
            self.spot = tick

    def note_gap(self) -> None:
        """A hole was seen in the live stream."""
        self.gaps += 1

    def push(self, epoch: int, quote: float) -> None:
        """Take a tick that is newer than the last one.

        Raises:
            FeatureError: for a quote that is no price or an epoch that is not newer.
        """
        for stream in self._streams.values():
            stream.push(epoch, quote)
        self.spot = Spot(epoch, quote)

    def age(self, now: float) -> float:
        """Seconds since the newest tick; infinite before the first."""
        return float("inf") if self.spot is None else now - self.spot.epoch

    def has(self, spec: FeatureSpec) -> bool:
        """True when features of this spec are followed."""
        return spec.sha256 in self._streams

    def adopt(self, stream: FeatureStream) -> None:
        """Follow a stream that was warmed up to the newest tick.

        Raises:
            ValueError: when it ends elsewhere; its next window would have a hole.
        """
        if self.spot is not None and stream.last_epoch != self.spot.epoch:
            raise ValueError(f"the stream ends at {stream.last_epoch}, the market is at {self.spot.epoch}")
        self._streams[stream.spec.sha256] = stream

    def keep_only(self, hashes: set[str]) -> None:
        """Drop feature streams that no loaded model wants."""
        for sha256 in self._streams.keys() - hashes:
            del self._streams[sha256]

    def stream(self, spec_sha256: str) -> FeatureStream | None:
        """The stream of the spec with this hash, None while it is not warmed up."""
        stream = self._streams.get(spec_sha256)
        return stream if stream is not None and stream.ready else None
