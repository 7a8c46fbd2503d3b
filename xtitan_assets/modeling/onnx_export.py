"""From a torch model to one ONNX file without external data."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import onnx
import torch
from torch import Tensor, nn

from xtitan_assets.modeling.network import Architecture, Model

OPSET = 20
INPUTS = ("ticks", "candles")
OUTPUTS = ("rise_fall", "touch", "stay", "anomaly")


class Exported(NamedTuple):
    """An ONNX model and the exporter that made it."""

    model: bytes
    exporter: str


class ServingModel(nn.Module):
    """The model with the runner's two inputs and plain outputs."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, ticks: Tensor, candles: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        logits = self.model(ticks, candles)
        return logits.rise_fall, logits.touch, logits.stay, logits.anomaly


def to_onnx(model: Model, architecture: Architecture) -> Exported:
    """Export with a free batch axis and fixed windows.

    Networks go through torch's dynamo exporter, and through the legacy one when dynamo cannot trace them. A logistic
    head is one matrix product, for which the legacy exporter gives the same graph in a tenth of the time. The caller
    has to compare the outputs with torch's, because exporters have returned wrong graphs without an error.
    """
    serving = ServingModel(model.eval()).eval()
    # Two rows, because exporters take an axis of length one for a constant.
    example = (
        torch.zeros(2, architecture.tick_window),
        torch.zeros(2, architecture.bar_window, architecture.columns),
    )
    with _quiet():
        if architecture.kind == "network":
            # Whatever fails in this exporter, the other one is tried, and the caller compares its outputs.
            with contextlib.suppress(Exception):
                return Exported(_dynamo(serving, example), "dynamo")
        return Exported(_legacy(serving, example), "legacy")


def _dynamo(serving: nn.Module, example: tuple[Tensor, Tensor]) -> bytes:
    batch = torch.export.Dim("batch", min=1, max=1 << 16)
    program = torch.onnx.export(
        serving,
        example,
        input_names=list(INPUTS),
        output_names=list(OUTPUTS),
        opset_version=OPSET,
        dynamic_shapes=({0: batch}, {0: batch}),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        program.save(str(path), external_data=False)
        return _checked(path.read_bytes())


def _legacy(serving: nn.Module, example: tuple[Tensor, Tensor]) -> bytes:
    buffer = io.BytesIO()
    torch.onnx.export(
        serving,
        example,
        buffer,  # type: ignore[arg-type]
        input_names=list(INPUTS),
        output_names=list(OUTPUTS),
        opset_version=OPSET,
        dynamic_axes={name: {0: "batch"} for name in INPUTS + OUTPUTS},
        dynamo=False,
    )
    return _checked(buffer.getvalue())


def _checked(content: bytes) -> bytes:
    """The model after ONNX's own checker, without the local paths that exporters write into doc strings."""
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model)
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    stripped: bytes = model.SerializeToString()
    return stripped


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporters' progress lines; what matters is an exception or shows when outputs are compared."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)
