"""Running a bundle's model as the trading host does: onnxruntime, one thread, from bytes.

onnxruntime is imported when a model is opened: `xtitan keys` and `xtitan doctor` import this module and open none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from xtitan_assets.modeling.samples import Samples

Rows = npt.NDArray[np.float32]
OUTPUTS = ("rise_fall", "touch", "stay", "anomaly")


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds for one decision.

    Attributes:
        p50, p99: by the clock on the wall; other programs on the machine lengthen it.
        cpu_p50, cpu_p99: of the thread's own CPU time; the session computes on no other thread.
    """

    p50: float
    p99: float
    cpu_p50: float
    cpu_p99: float


class OnnxModel:
    """A model that onnxruntime has opened from its bytes."""

    def __init__(self, model: bytes) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session: Any = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(self, ticks: Rows, candles: Rows) -> dict[str, Rows]:
        """Outputs by name for a batch of decisions.

        Args:
            ticks: (n, tick_window).
            candles: (n, bar_window, columns).
        """
        answers = self._session.run(list(OUTPUTS), {"ticks": ticks, "candles": candles})
        return dict(zip(OUTPUTS, answers, strict=True))

    def logits(self, samples: Samples, index: npt.NDArray[np.int64], batch: int = 1_024) -> npt.NDArray[np.float64]:
        """Uncalibrated logits (n, 5) of the decisions at ``index``, in the order of the label columns."""
        parts = [np.empty((0, 5))]
        for start in range(0, len(index), batch):
            chosen = index[start : start + batch]
            out = self.run(samples.ticks[chosen], samples.candles[samples.rows[chosen]])
            parts.append(np.concatenate([out["rise_fall"], out["touch"], out["stay"]], axis=1).astype(np.float64))
        return np.concatenate(parts)

    def latency(self, ticks: Rows, candles: Rows, repeats: int = 300) -> Latency:
        """Time single decisions, cycling through the rows given."""
        self.run(ticks[:1], candles[:1])
        wall, cpu = np.empty(repeats), np.empty(repeats)
        for k in range(repeats):
            row = slice(k % len(ticks), k % len(ticks) + 1)
            wall_start, cpu_start = time.perf_counter_ns(), time.thread_time_ns()
            self.run(ticks[row], candles[row])
            cpu[k], wall[k] = time.thread_time_ns() - cpu_start, time.perf_counter_ns() - wall_start
        p50, p99, cpu_p50, cpu_p99 = (float(np.quantile(taken, q)) / 1e6 for taken in (wall, cpu) for q in (0.5, 0.99))
        return Latency(p50, p99, cpu_p50, cpu_p99)
