"""One verified model: an ONNX Runtime session over the verified bytes.

The session is made from memory and not from a path, so the bytes that were verified are the bytes that run, and a
reference to external data does not resolve. One thread: inference takes well under a millisecond and the trading loop
shares the machine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from live_runner.models.errors import ModelError
from xtitan_core.bundle.golden import Golden
from xtitan_core.bundle.verification import VerifiedBundle
from xtitan_core.calibration import Platt
from xtitan_core.clock import thread_cpu
from xtitan_core.contracts import RISE_FALL, Contract, ContractType

TOLERANCE = 1e-5
"""The one tolerance for every torch, ONNX and golden comparison."""

Floats = npt.NDArray[np.float32]


class OnnxModel:
    """A model that gives probabilities.

    Attributes:
        bundle_id: hash of the manifest.
        manifest: what was signed.
        spec: the features it wants.
        spec_sha256: its hash, computed once: it is asked for at every slot.
        contracts: the contract behind each type it prices.
        latency_ms: median processor time of one inference, measured at load; a busy host does not lengthen it.
    """

    def __init__(self, bundle: VerifiedBundle) -> None:
        """Load, check names and shapes, replay the golden vectors, measure latency.

        Raises:
            ModelError: one line: why this model is not usable here.
        """
        self.bundle_id, self.manifest = bundle.bundle_id, bundle.manifest
        self.spec = bundle.manifest.spec
        self.spec_sha256 = self.spec.sha256
        self._session = _open(bundle.model)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._check_signature()
        self.contracts, self._heads = self._tradable()
        self._check_golden(bundle.golden)
        self.latency_ms = self._measure(bundle.golden)
        budget = self.manifest.runtime.max_latency_ms
        if self.latency_ms > budget:
            raise ModelError(
                f"inference takes {self.latency_ms:.2f} ms, the manifest allows {budget} ms; train a smaller one"
            )

    def outputs(self, ticks: Floats, candles: Floats) -> dict[str, Floats]:
        """Raw outputs for a batch.

        Args:
            ticks: shape (n, tick_window).
            candles: shape (n, bar_window, columns).
        """
        values = self._session.run(self._outputs, {"ticks": ticks, "candles": candles})
        return dict(zip(self._outputs, values, strict=True))

    def probabilities(self, ticks: Floats, candles: Floats) -> dict[ContractType, float]:
        """Calibrated win probability of each tradable type for one moment.

        Args:
            ticks: shape (tick_window,).
            candles: shape (bar_window, columns).
        """
        raw = self.outputs(ticks[np.newaxis], candles[np.newaxis])
        return {
            side: float(platt.apply(float(raw[output][0, index])))
            for side, (output, index, platt) in self._heads.items()
        }

    def _check_signature(self) -> None:
        wanted = {"ticks": (self.spec.tick_window,), "candles": (self.spec.bar_window, len(self.spec.indicators))}
        inputs = {item.name: item for item in self._session.get_inputs()}
        if set(inputs) != set(wanted):
            raise ModelError(f"the model takes {sorted(inputs)}, expected {sorted(wanted)}")
        for name, shape in wanted.items():
            item = inputs[name]
            if item.type != "tensor(float)" or tuple(item.shape[1:]) != shape:
                raise ModelError(f"input {name} is {item.type} {item.shape}, expected float32 [N, {shape}]")

    def _tradable(self) -> tuple[dict[ContractType, Contract], dict[ContractType, tuple[str, int, Platt]]]:
        contracts: dict[ContractType, Contract] = {}
        heads: dict[ContractType, tuple[str, int, Platt]] = {}
        for head in self.manifest.heads:
            if head.output not in self._outputs:
                raise ModelError(f"the manifest names output {head.output!r}, the model has {self._outputs}")
            side = head.contract_type
            if side not in RISE_FALL or side in contracts:
                continue
            contracts[side] = Contract(side, head.duration, head.unit)
            heads[side] = (head.output, head.index, head.calibration.platt)
        if not contracts:
            raise ModelError("no head prices a contract that this runner trades; use another model")
        return contracts, heads

    def _check_golden(self, golden: Golden) -> None:
        outputs = self.outputs(golden["ticks"], golden["candles"])
        for name in golden.keys() - {"ticks", "candles"}:
            if name not in outputs or outputs[name].shape != golden[name].shape:
                raise ModelError(f"golden vectors: the model has no output {name!r} of shape {golden[name].shape}")
            worst = float(np.max(np.abs(outputs[name].astype(np.float64) - golden[name].astype(np.float64))))
            if not worst <= TOLERANCE:
                raise ModelError(
                    f"golden vectors: output {name} is off by {worst:.2e}, allowed {TOLERANCE:.0e}; package it again"
                )

    def _measure(self, golden: Golden) -> float:
        """Median processor time of single inferences, milliseconds. The model computes on the calling thread only."""
        ticks, candles = golden["ticks"], golden["candles"]
        spent = []
        for k in range(min(len(ticks), 32)):
            started = thread_cpu()
            self.outputs(ticks[k : k + 1], candles[k : k + 1])
            spent.append(thread_cpu() - started)
        return float(np.median(spent)) * 1_000


def _open(model: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # ONNX Runtime raises a family of pybind types without a common base.
        raise ModelError(f"ONNX Runtime refuses the model: {str(error).splitlines()[0]}; package it again") from None
