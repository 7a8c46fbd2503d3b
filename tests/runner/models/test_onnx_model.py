"""A verified model answers as it was signed, or is refused."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from live_runner.models.errors import ModelError
from live_runner.models.onnx_model import OnnxModel
from support.roles import MODEL, NOW
from xtitan_core.bundle.manifest import Runtime
from xtitan_core.bundle.verification import read_files, verify
from xtitan_core.contracts import ContractType


def opened(releases: Any, bundle_id: str) -> OnnxModel:
    files = read_files(releases.folder / MODEL / bundle_id)
    return OnnxModel(verify(files, [releases.private.public_key()], NOW))


class TestSession:
    def test_it_answers_with_calibrated_probabilities(self, releases: Any) -> None:
        model = opened(releases, releases.bundle(weight=4_000.0))
        ticks = np.zeros(model.spec.tick_window, np.float32)
        ticks[-1] = 2.5e-4
        candles = np.zeros((model.spec.bar_window, len(model.spec.indicators)), np.float32)
        found = model.probabilities(ticks, candles)
        assert found[ContractType.CALL] == pytest.approx(1 / (1 + np.exp(-1.0)), abs=1e-6)
        assert found[ContractType.PUT] == pytest.approx(1 / (1 + np.exp(1.0)), abs=1e-6)
        assert 0 < model.latency_ms < 100

    @pytest.mark.parametrize(("computes", "taken"), [(False, True), (True, False)])
    def test_only_its_own_processor_time_counts_against_its_budget(
        self, releases: Any, monkeypatch: pytest.MonkeyPatch, computes: bool, taken: bool
    ) -> None:
        files = read_files(releases.folder / MODEL / releases.bundle())
        bundle = verify(files, [releases.private.public_key()], NOW)
        answer, budget_s = OnnxModel.outputs, bundle.manifest.runtime.max_latency_ms / 1_000

        def slow(self: OnnxModel, *inputs: Any) -> Any:
            """Waits as on a busy host, or computes as a model that is too large."""
            until = time.thread_time() + 2 * budget_s
            while computes and time.thread_time() < until:
                pass
            if not computes:
                time.sleep(2 * budget_s)
            return answer(self, *inputs)

        monkeypatch.setattr(OnnxModel, "outputs", slow)
        if taken:
            assert OnnxModel(bundle).latency_ms < 1_000 * budget_s
        else:
            with pytest.raises(ModelError, match="inference takes"):
                OnnxModel(bundle)

    def test_a_golden_vector_that_does_not_come_out_is_refused(self, releases: Any) -> None:
        bundle_id = releases.bundle(expected=np.zeros((8, 2), np.float32))
        with pytest.raises(ModelError, match="rise_fall is off by"):
            opened(releases, bundle_id)

    def test_bytes_that_are_no_model_are_refused(self, releases: Any) -> None:
        bundle_id = releases.bundle(expected=np.zeros((8, 2), np.float32))
        files = read_files(releases.folder / MODEL / bundle_id)
        bundle = verify(files, [releases.private.public_key()], NOW)
        broken = type(bundle)(bundle.bundle_id, bundle.manifest, bundle.model[:100], bundle.golden)
        with pytest.raises(ModelError, match="ONNX Runtime refuses"):
            OnnxModel(broken)

    def test_a_model_that_is_too_slow_is_refused(self, releases: Any) -> None:
        impossible = Runtime(opset=17, min_runner_version="0.1.0", max_latency_ms=1e-6)
        bundle_id = releases.bundle(runtime=impossible)
        with pytest.raises(ModelError, match="inference takes"):
            opened(releases, bundle_id)
