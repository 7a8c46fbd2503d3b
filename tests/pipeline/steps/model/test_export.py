"""The bundle: ONNX equals torch, golden vectors hold, and nothing of this machine travels in it."""

from __future__ import annotations

import shutil
import stat
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from xtitan_assets.modeling import checkpoint
from xtitan_assets.modeling.network import Architecture
from xtitan_assets.modeling.onnx_export import to_onnx
from xtitan_assets.steps.dataset import snapshot as dataset
from xtitan_assets.steps.model import export, signed_bundle
from xtitan_assets.steps.model.onnx_model import OnnxModel
from xtitan_assets.workspace.errors import StepError
from xtitan_core.bundle import keys
from xtitan_core.bundle.verification import read_files, verify
from xtitan_core.clock import DAY
from xtitan_core.contracts import ContractType


def load(world):
    return signed_bundle.load_bundle(world.home)


def test_the_bundle_verifies_as_the_trading_host_verifies_it(momentum_bundle):
    home = momentum_bundle.home
    public = keys.load_public(home.keys / "signing.pub")
    found = verify(
        read_files(home.bundle),
        [public],
        load(momentum_bundle).manifest.created_epoch + DAY,
        minimum_sequence=1,
        feature_sha256=dataset.load_manifest(home)["feature_sha256"],
    )
    manifest = found.manifest
    assert manifest.model_name == "PLANTED_100-rise_fall-5t"
    assert manifest.training.candidate == "logistic"
    assert manifest.evaluation.beats_baseline
    assert manifest.lineage.dagster_run_id == "test"
    assert [(h.contract_type, h.output, h.index, h.barrier_sigmas) for h in manifest.heads] == [
        (ContractType.CALL, "rise_fall", 0, None),
        (ContractType.PUT, "rise_fall", 1, None),
        (ContractType.ONETOUCH, "touch", 0, 2.0),
        (ContractType.ONETOUCH, "touch", 1, -2.0),
        (ContractType.RANGE, "stay", 0, 3.0),
    ]
    assert stat.S_IMODE((home.keys / "signing").stat().st_mode) == 0o600


@pytest.mark.parametrize("world", ["momentum_bundle", "parity_bundle"])
def test_onnx_equals_torch(world, request):
    home = request.getfixturevalue(world).home
    samples = dataset.load_samples(home)
    model, _ = checkpoint.read_model(home.checkpoint)
    session = OnnxModel(load(request.getfixturevalue(world)).model)
    index = np.arange(0, len(samples), max(1, len(samples) // 256))
    assert export.parity_difference(model, session, samples, index) <= signed_bundle.TOLERANCE


@pytest.mark.parametrize("world", ["momentum_bundle", "parity_bundle"])
def test_golden_vectors_hold_and_a_decision_is_fast(world, request):
    check = signed_bundle.check_bundle(request.getfixturevalue(world).home)
    assert check.golden_passed
    assert check.latency_passed
    assert check.cpu_p50_ms < 1.0


@pytest.mark.parametrize("world", ["momentum_bundle", "parity_bundle"])
def test_the_model_is_one_file_that_names_no_path_of_this_machine(world, request):
    found = request.getfixturevalue(world)
    model = onnx.load_from_string(load(found).model)
    assert all(not tensor.external_data for tensor in model.graph.initializer)
    assert [i.name for i in model.graph.input] == ["ticks", "candles"]
    assert [o.name for o in model.graph.output] == ["rise_fall", "touch", "stay", "anomaly"]
    for name, content in read_files(found.home.bundle).items():
        assert b"/home" not in content, name
        assert b"site-packages" not in content, name
        assert str(found.home.root).encode() not in content, name


def test_exporting_again_gives_the_same_model(momentum_bundle):
    before = load(momentum_bundle)
    model, description = checkpoint.read_model(momentum_bundle.home.checkpoint)
    assert to_onnx(model, Architecture(**description["architecture"])).model == before.model


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["light", "full"])
def test_both_presets_export_with_a_free_batch_axis(preset):
    torch.manual_seed(0)
    architecture = Architecture("network", 64, 32, 14, 16, preset)
    model = architecture.build().eval()
    exported = to_onnx(model, architecture)
    assert exported.exporter == "dynamo"
    session = OnnxModel(exported.model)
    for count in (1, 3, 200):
        ticks, candles = torch.randn(count, 64) * 2.5e-4, torch.randn(count, 32, 14)
        with torch.inference_mode():
            wanted = model(ticks, candles)
        got = session.run(ticks.numpy(), candles.numpy())
        for name, array in got.items():
            np.testing.assert_allclose(array, getattr(wanted, name).numpy(), rtol=0, atol=signed_bundle.TOLERANCE)


def test_parity_notices_a_changed_weight(momentum_bundle):
    """The check itself must be able to fail."""
    home = momentum_bundle.home
    samples = dataset.load_samples(home)
    model, _ = checkpoint.read_model(home.checkpoint)
    with torch.no_grad():
        model.linear.weight[0, -3] += 1e-3
    session = OnnxModel(load(momentum_bundle).model)
    assert export.parity_difference(model, session, samples, np.arange(50)) > signed_bundle.TOLERANCE


def test_a_model_of_another_dataset_is_not_exported(momentum_bundle, fair, tmp_path):
    home = replace(momentum_bundle.home, data=tmp_path)
    shutil.copytree(momentum_bundle.home.checkpoint, home.checkpoint)
    shutil.copytree(fair.home.dataset, home.dataset)
    with pytest.raises(StepError, match="trained on another dataset"):
        export.export(home, momentum_bundle.params, sequence=1, venue_epoch=1)


def test_a_missing_or_edited_bundle_is_one_clear_line(momentum_bundle, tmp_path):
    home = replace(momentum_bundle.home, data=tmp_path)
    with pytest.raises(StepError, match="run `xtitan run package`"):
        signed_bundle.load_bundle(home)
    shutil.copytree(momentum_bundle.home.bundle, home.bundle)
    manifest = home.bundle / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"min_edge":0.02', b'"min_edge":0.00'))
    with pytest.raises(StepError, match=r"does not fit manifest\.json"):
        signed_bundle.check_bundle(home)
