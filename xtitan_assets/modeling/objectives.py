"""The loss that the network is trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from xtitan_assets.modeling.network import Logits

RECONSTRUCTION_WEIGHT = 0.05
"""Weight of the autoencoder's error beside the heads' log loss: enough to train it, too little to steer the heads."""


def multi_task_loss(logits: Logits, labels: Tensor) -> Tensor:
    """Mean binary log loss over the five labels plus the reconstruction error; a scalar.

    Args:
        labels: float (N, 5), columns as in ``samples.LABELS``.
    """
    heads = torch.nn.functional.binary_cross_entropy_with_logits(logits.labels(), labels)
    return heads + RECONSTRUCTION_WEIGHT * logits.anomaly.mean()
