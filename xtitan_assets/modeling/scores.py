"""The scores that candidates are compared by. Plain numpy: judging a model needs no torch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def log_loss_of_logits(logits: Floats, labels: npt.NDArray[np.uint8]) -> Floats:
    """Binary log loss per entry, exact for large logits."""
    signed = np.where(labels == 1, logits, -logits)
    loss: Floats = np.logaddexp(0.0, -signed)
    return loss


def log_loss(probability: Floats, labels: npt.NDArray[np.uint8]) -> Floats:
    """Binary log loss per entry; probabilities are kept 1e-12 away from 0 and 1."""
    p = np.clip(probability, 1e-12, 1.0 - 1e-12)
    loss: Floats = -np.where(labels == 1, np.log(p), np.log1p(-p))
    return loss


class PairedDifference(NamedTuple):
    """How much lower one candidate's loss is than another's.

    Attributes:
        mean: mean of (loss of the simpler - loss of the richer); positive when the richer is better.
        standard_error: of that mean, from blocks of time.
    """

    mean: float
    standard_error: float

    @property
    def wins(self) -> bool:
        """True when the richer candidate is better by more than one standard error."""
        return self.mean > self.standard_error


def paired_difference(
    simpler: Floats, richer: Floats, epochs: npt.NDArray[np.int64], block_seconds: int = 300
) -> PairedDifference:
    """Compare two candidates' losses on the same decisions.

    Labels of neighbouring decisions overlap, so the error is taken over blocks of time much longer than a contract:
    counting decisions as independent would understate it about threefold.

    Args:
        simpler, richer: loss per decision, shape (n,).
        epochs: decision epochs, shape (n,).
        block_seconds: length of a block; at least ten contract lengths.

    Raises:
        ValueError: when all decisions lie in one block.
    """
    difference = simpler - richer
    _, block = np.unique(epochs // block_seconds, return_inverse=True)
    count = np.bincount(block)
    if len(count) < 2:
        raise ValueError(f"a standard error needs at least two blocks of {block_seconds} s")
    mean = float(difference.mean())
    residual = np.bincount(block, difference) - count * mean
    blocks = len(count)
    variance = float((residual**2).sum()) * blocks / (blocks - 1) / len(difference) ** 2
    return PairedDifference(mean, variance**0.5)
