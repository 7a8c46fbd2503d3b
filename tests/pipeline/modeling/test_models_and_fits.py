"""The torch parts: shapes, causality, normalisers, fits that learn what is there, and resumable training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from xtitan_assets.modeling import checkpoint
from xtitan_assets.modeling.blocks import CausalConv, InterpretableAttention, Normaliser, PairConv
from xtitan_assets.modeling.data import gather, predict, shuffled
from xtitan_assets.modeling.network import Architecture
from xtitan_assets.modeling.samples import Samples
from xtitan_assets.modeling.scores import log_loss, log_loss_of_logits, paired_difference
from xtitan_assets.modeling.spatial import TickExpert
from xtitan_assets.modeling.temporal import FusionTransformerExpert, VariableSelection
from xtitan_assets.modeling.trainer import Settings, TrainingError, fit_logistic, fit_network, single_thread
from xtitan_assets.modeling.volatility import VolatilityAutoencoder

SETTINGS = Settings(training_epochs=3, batch_size=64, learning_rate=3e-3, patience=3, seed=5)
KINDS = [("logistic", "light"), ("network", "light"), ("network", "full")]


def architecture(kind: str = "network", preset: str = "light", width: int = 8) -> Architecture:
    return Architecture(kind, 32, 8, 5, width, preset)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As training runs; small tensors are slower on many threads."""
    with single_thread():
        yield


@pytest.fixture(scope="module")
def samples() -> Samples:
    """Labels that follow the sum of the last four returns; ten decisions share a candle window."""
    rng = np.random.default_rng(0)
    n = 2_000
    ticks = rng.normal(0, 2.5e-4, (n, 32)).astype(np.float32)
    up = ticks[:, -4:].sum(axis=1) + rng.normal(0, 4e-4, n) > 0
    labels = np.stack([up, ~up, rng.random(n) < 0.3, rng.random(n) < 0.3, rng.random(n) < 0.5], axis=1)
    epochs = 1_000_000 + 6 * np.arange(n, dtype=np.int64)
    return Samples(
        epochs=epochs,
        exit_epochs=epochs + 12,
        quotes=np.full(n, 640.0),
        ticks=ticks,
        candles=rng.normal(0, 1, (n // 10, 8, 5)).astype(np.float32),
        rows=(np.arange(n) // 10).astype(np.int32),
        labels=labels.astype(np.uint8),
        split=np.zeros(n, np.uint8),
        fold=np.zeros(n, np.int8),
        slot=np.ones(n, bool),
        stride=np.ones(n, bool),
    )


@pytest.mark.parametrize(("kind", "preset"), KINDS)
def test_outputs_have_the_promised_shapes(kind, preset):
    torch.manual_seed(0)
    model = architecture(kind, preset).build().eval()
    logits = model(torch.randn(7, 32), torch.randn(7, 8, 5))
    assert [tuple(part.shape) for part in logits] == [(7, 2), (7, 2), (7, 1), (7,)]
    assert tuple(logits.labels().shape) == (7, 5)
    assert (logits.anomaly >= 0).all()


@pytest.mark.parametrize(("kind", "preset"), KINDS)
def test_shared_candles_change_nothing(kind, preset, samples):
    """Running the temporal expert once per bar must equal running it once per decision."""
    torch.manual_seed(1)
    model = architecture(kind, preset).build().eval()
    index = np.array([3, 4, 5, 900, 901, 1_999])
    batch = gather(samples, index)
    assert len(batch.candles) == 3
    with torch.inference_mode():
        shared = model(batch.ticks, batch.candles, batch.rows).labels()
        separate = model(batch.ticks, torch.from_numpy(samples.candles[samples.rows[index]])).labels()
    torch.testing.assert_close(shared, separate, rtol=0, atol=1e-6)


def test_convolution_sees_the_present_and_two_steps_back():
    torch.manual_seed(2)
    layer = CausalConv(2, 3)
    x = torch.randn(1, 40, 2, requires_grad=True)
    for position in (2, 17, 39):
        (slope,) = torch.autograd.grad(layer(x)[0, position].sum(), x)
        assert torch.nonzero(slope.abs().sum(dim=(0, 2))).flatten().tolist() == [position - 2, position - 1, position]


def test_convolution_equals_the_library():
    torch.manual_seed(2)
    layer = CausalConv(2, 3)
    x = torch.randn(4, 40, 2)
    weight = layer.linear.weight.reshape(3, 3, 2).transpose(1, 2)
    padded = torch.nn.functional.pad(x.transpose(1, 2), (2, 0))
    wanted = torch.nn.functional.gelu(torch.nn.functional.conv1d(padded, weight, layer.linear.bias)).transpose(1, 2)
    torch.testing.assert_close(layer(x), wanted)
    pair = PairConv(3)
    y = torch.randn(4, 40, 3)
    strided = torch.nn.functional.conv1d(
        y.transpose(1, 2), pair.linear.weight.reshape(3, 2, 3).transpose(1, 2), pair.linear.bias, stride=2
    )
    torch.testing.assert_close(pair(y), torch.nn.functional.gelu(strided).transpose(1, 2))


@pytest.mark.parametrize("window", [8, 32, 37, 64])
def test_tick_expert_uses_the_newest_tick_and_the_window(window):
    torch.manual_seed(2)
    expert = TickExpert(window, 8)
    x = torch.randn(3, window, requires_grad=True)
    out = expert(x)
    assert tuple(out.shape) == (3, expert.size)
    (slope,) = torch.autograd.grad(out.square().sum(), x)
    seen = slope.abs().sum(dim=0) > 0
    assert seen[-(window // 8 * 8) :].all()


def test_attention_weights_sum_to_one_and_follow_their_input():
    torch.manual_seed(3)
    attention = InterpretableAttention(8, 4)
    out, weight = attention(torch.randn(6, 9, 8))
    assert tuple(out.shape) == (6, 8)
    torch.testing.assert_close(weight.sum(dim=1), torch.ones(6))
    assert weight.std() > 0
    with pytest.raises(ValueError, match="multiple of 3 heads"):
        InterpretableAttention(8, 3)


def test_variable_selection_weights_sum_to_one():
    torch.manual_seed(4)
    selected, weight = VariableSelection(5, 8)(torch.randn(3, 7, 5))
    assert tuple(selected.shape) == (3, 7, 8)
    torch.testing.assert_close(weight.sum(dim=-1), torch.ones(3, 7))


def test_fusion_transformer_uses_every_step():
    torch.manual_seed(5)
    expert = FusionTransformerExpert(5, 8).eval()
    x = torch.randn(2, 9, 5, requires_grad=True)
    expert(x).square().sum().backward()
    assert x.grad is not None
    assert (x.grad.abs().sum(dim=(0, 2)) > 0).all()


def test_autoencoder_calls_a_burst_strange():
    """Trained on calm windows, its error must rank a volatility burst above every calm window it has not seen."""
    torch.manual_seed(6)
    expert = VolatilityAutoencoder(32, 8)
    optimizer = torch.optim.Adam(expert.parameters(), 1e-2)
    for _ in range(200):
        loss = expert(torch.randn(128, 32))[1].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    burst = torch.randn(50, 32)
    burst[:, 16:24] *= 8
    assert expert(burst)[1].min() > expert(torch.randn(500, 32))[1].max()


def test_normaliser_standardises_and_survives_a_constant_column():
    x = torch.cat([torch.randn(500, 1) * 3 + 7, torch.full((500, 1), 2.0)], dim=1)
    norm = Normaliser(2)
    norm.fit(x)
    out = norm(x)
    assert abs(float(out[:, 0].mean())) < 1e-5
    assert float(out[:, 0].std(unbiased=False)) == pytest.approx(1.0, abs=1e-5)
    assert torch.equal(out[:, 1], torch.zeros(500))
    assert float(norm(torch.tensor([[1e9, 2.0]]))[0, 0]) == norm.limit


def test_uncentred_normaliser_keeps_signs():
    norm = Normaliser(1, centre=False)
    norm.fit(torch.randn(200, 4) + 0.5)
    x = torch.tensor([-0.1, 0.0, 0.1])
    assert torch.equal(torch.sign(norm(x)), torch.sign(x))


def test_batches_keep_bars_together_and_lose_nothing(samples):
    index = np.arange(5, 1_234)
    batches = list(shuffled(samples, index, 100, np.random.default_rng(1)))
    assert sorted(np.concatenate(batches).tolist()) == index.tolist()
    assert max(len(np.unique(samples.rows[batch])) for batch in batches) <= 12
    again = list(shuffled(samples, index, 100, np.random.default_rng(1)))
    assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))
    other = np.concatenate(list(shuffled(samples, index, 100, np.random.default_rng(2))))
    assert not np.array_equal(np.concatenate(batches), other)


def test_logistic_fit_finds_the_four_returns_that_matter(samples):
    model = fit_logistic(architecture("logistic"), samples, np.arange(1_500))
    weight = model.linear.weight[0, :32].detach().abs()
    assert set(weight.argsort()[-4:].tolist()) == {28, 29, 30, 31}
    held_out = np.arange(1_500, 2_000)
    right = (predict(model, samples, held_out)[:, 0] > 0) == samples.labels[held_out, 0]
    assert right.mean() > 0.7


def test_a_label_that_never_varies_gets_a_finite_logit(samples):
    labels = samples.labels.copy()
    labels[:, 4] = 1
    constant = Samples(**{name: getattr(samples, name) for name in Samples.names() if name != "labels"}, labels=labels)
    model = fit_logistic(architecture("logistic"), constant, np.arange(1_000))
    logits = predict(model, constant, np.arange(1_000, 1_010))
    assert np.isfinite(logits).all()
    assert (logits[:, 4] > 5).all()


def test_network_learns_and_a_resumed_run_equals_an_unbroken_one(samples, tmp_path):
    index = np.arange(1_600)
    whole, history = fit_network(architecture(), samples, index, SETTINGS)
    right = (predict(whole, samples, np.arange(1_600, 2_000))[:, 0] > 0) == samples.labels[1_600:, 0]
    assert right.mean() > 0.65

    class Killed(Exception):
        pass

    def kill(line: str) -> None:
        if line.startswith("epoch 2/"):
            raise Killed

    state = tmp_path / "state"
    with pytest.raises(Killed):
        fit_network(architecture(), samples, index, SETTINGS, state=state, fingerprint="a", progress=kill)
    lines: list[str] = []
    resumed, rest = fit_network(
        architecture(), samples, index, SETTINGS, state=state, fingerprint="a", progress=lines.append
    )
    assert len(lines) == 1, "only the third epoch was left to do"
    assert rest == history
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    lines.clear()
    fit_network(architecture(), samples, index, SETTINGS, state=state, fingerprint="b", progress=lines.append)
    assert len(lines) == 3, "the state of other data or parameters is not taken over"


def test_a_torn_state_is_ignored(samples, tmp_path):
    fit_network(architecture(), samples, np.arange(800), SETTINGS, state=tmp_path, fingerprint="a")
    path = tmp_path / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    lines: list[str] = []
    fit_network(
        architecture(), samples, np.arange(800), SETTINGS, state=tmp_path, fingerprint="a", progress=lines.append
    )
    assert len(lines) == SETTINGS.training_epochs


def test_hopeless_fits_are_refused(samples):
    with pytest.raises(TrainingError, match=r"too few for batches of 64; raise data\.days"):
        fit_network(architecture(), samples, np.arange(60), SETTINGS)
    wild = Settings(training_epochs=2, batch_size=64, learning_rate=float("inf"), patience=2, seed=0)
    with pytest.raises(TrainingError, match=r"not finite in epoch 1; lower train\.learning_rate"):
        fit_network(architecture(), samples, np.arange(800), wild)


def test_checkpoint_round_trip_and_tampering(tmp_path):
    torch.manual_seed(7)
    described = architecture(preset="full")
    model = described.build().eval()
    checkpoint.write_model(tmp_path, model, described, {"candidate": "network"})
    loaded, description = checkpoint.read_model(tmp_path)
    assert description["candidate"] == "network"
    ticks, candles = torch.randn(4, 32), torch.randn(4, 8, 5)
    assert torch.equal(model(ticks, candles).labels(), loaded(ticks, candles).labels())
    weights = tmp_path / checkpoint.WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(checkpoint.CheckpointError, match="not the weights"):
        checkpoint.read_model(tmp_path)
    with pytest.raises(checkpoint.CheckpointError, match="no trained model; run `xtitan run train`"):
        checkpoint.read_model(tmp_path / "elsewhere")


def test_losses_agree_and_stay_finite():
    logits = np.array([-800.0, -2.0, 0.0, 3.0, 900.0])
    labels = np.array([0, 1, 1, 0, 1], np.uint8)
    exact = log_loss_of_logits(logits, labels)
    assert np.isfinite(exact).all()
    np.testing.assert_allclose(exact[1:4], log_loss(1 / (1 + np.exp(-logits[1:4])), labels[1:4]))


def test_paired_difference_counts_overlap():
    """Thirty copies of each independent difference must not look thirty times as certain."""
    rng = np.random.default_rng(8)
    blocks = rng.normal(0.0, 1.0, 200)
    epochs = np.arange(200 * 30) * 10
    found = paired_difference(np.repeat(blocks, 30), np.zeros(6_000), epochs, block_seconds=300)
    assert found.standard_error == pytest.approx(blocks.std(ddof=1) / 200**0.5, rel=1e-6)
    naive = np.repeat(blocks, 30).std() / 6_000**0.5
    assert found.standard_error > 5 * naive
    with pytest.raises(ValueError, match="two blocks"):
        paired_difference(np.zeros(5), np.zeros(5), np.arange(5))
