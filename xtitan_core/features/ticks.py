"""Which ticks may enter the features: after one NaN an exponential average stays NaN."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from xtitan_core.features.spec import FeatureError

SMALLEST_QUOTE = 1e-9
LARGEST_QUOTE = 1e12


def check_tick(last_epoch: int, epoch: int, quote: float) -> None:
    """Refuse a tick that is not newer than the last one, or whose quote is not a plausible price.

    Raises:
        FeatureError: naming the tick and the reason.
    """
    if not SMALLEST_QUOTE <= quote <= LARGEST_QUOTE:  # also false for NaN
        what = "not a plausible price" if math.isfinite(quote) else "not finite"
        raise FeatureError(f"tick {epoch}: quote {quote!r} is {what}")
    if epoch <= last_epoch:
        raise FeatureError(f"tick {epoch}: not after the last tick {last_epoch}")


def check_ticks(epochs: npt.ArrayLike, quotes: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The same for arrays; returns them as int64 and float64 of shape (n,).

    Raises:
        FeatureError: naming the first offending tick.
    """
    e, q = np.asarray(epochs), np.ascontiguousarray(quotes, dtype=np.float64)
    if e.ndim != 1 or e.shape != q.shape or (len(e) and e.dtype.kind not in "iu"):
        raise FeatureError(f"ticks: epochs {e.dtype}{e.shape} and quotes {q.shape} must be integers and as many")
    e = np.ascontiguousarray(e, dtype=np.int64)
    bad = ~((q >= SMALLEST_QUOTE) & (q <= LARGEST_QUOTE))
    bad[1:] |= e[1:] <= e[:-1]
    if bad.any():
        i = int(np.argmax(bad))
        check_tick(int(e[i - 1]) if i else int(e[i]) - 1, int(e[i]), float(q[i]))
    return e, q
