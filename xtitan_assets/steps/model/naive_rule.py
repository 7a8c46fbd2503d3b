"""The usual promotion rule, for comparison only: validation win rate on 500 trades above break-even.

On a market without any edge it promotes something sooner or later, because every retrain is another draw.

scikit-learn is imported inside ``naive_rule``: the backtest needs only the constants.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xtitan_assets.steps.features.labels import settle_all
from xtitan_assets.steps.ingest.ticks import days_on_disk, read_ordered_day
from xtitan_assets.steps.model.evaluation import terms
from xtitan_assets.steps.report import Report
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home
from xtitan_core.contracts import Epochs, Quotes
from xtitan_core.symbols import symbol as look_up

VALIDATION_TRADES = 500
TRAINING_TICKS = 10_000
LAGS = 16


@dataclass(frozen=True, slots=True)
class NaiveRetrain(Report):
    """One retrain under the usual rule.

    Attributes:
        retrain: 1, 2, 3 …
        win_rate: of the preferred side over the validation trades.
        break_even: what it is compared with.
        promoted: the rule's verdict.
    """

    retrain: int
    trades: int
    win_rate: float
    break_even: float
    promoted: bool


def naive_retrains(home: Home, params: Params, retrains: int = 10) -> list[NaiveRetrain]:
    """Apply the usual rule to successive windows of the newest downloaded ticks.

    Raises:
        StepError: too few ticks on disk.
    """
    symbol = params.data.symbol
    parts = [read_ordered_day(home, symbol, day) for day in days_on_disk(home, symbol)]
    if not parts:
        raise StepError(f"{symbol}: no ticks in {home.ticks}; run `xtitan run ingest` first")
    offered = terms(home, params)
    break_even = max(t.ask_cents / t.payout_cents for t in offered.values())
    epochs, quotes = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
    return naive_rule(epochs, quotes, params, break_even, retrains)


def naive_rule(
    epochs: Epochs, quotes: Quotes, params: Params, break_even: float, retrains: int = 10
) -> list[NaiveRetrain]:
    """Fit a logistic head on each window and trade the 500 slots after it.

    Windows follow one another so that no validation trade is used twice.

    Args:
        epochs, quotes: ticks, shape (n,).
        break_even: win rate of zero expected value.

    Raises:
        StepError: too few ticks for the windows.
    """
    from sklearn.linear_model import LogisticRegression

    settled = settle_all(params.data.symbol, epochs, quotes, params)
    usable = settled.known & (np.arange(len(epochs)) > LAGS)
    slots = np.flatnonzero(usable & (epochs % params.labels.slot_seconds == 0))
    needed = retrains * VALIDATION_TRADES
    newest = slots[-needed:]
    if len(newest) < needed or newest[0] < TRAINING_TICKS // 10:
        raise StepError(f"{len(slots)} slots are too few for {retrains} retrains of {VALIDATION_TRADES} trades")
    design = _lagged_returns(quotes, look_up(params.data.symbol).tick_sigma)
    results = []
    for retrain in range(retrains):
        validation = newest[retrain * VALIDATION_TRADES : (retrain + 1) * VALIDATION_TRADES]
        before = np.arange(max(validation[0] - TRAINING_TICKS, 0), validation[0])
        fit = before[usable[before] & (settled.exit_epochs[before] < epochs[validation[0]])]
        model = LogisticRegression(solver="newton-cholesky").fit(design[fit], settled.won[fit, 0])
        rise = model.predict_proba(design[validation])[:, 1] > 0.5
        won = np.where(rise, settled.won[validation, 0], settled.won[validation, 1])
        rate = float(won.mean())
        results.append(NaiveRetrain(retrain + 1, len(validation), rate, break_even, rate > break_even))
    return results


def _lagged_returns(quotes: Quotes, scale: float) -> npt.NDArray[np.float64]:
    """The last ``LAGS`` log returns at every tick in units of ``scale``; rows before there are enough are zero."""
    returns = np.diff(np.log(quotes), prepend=np.log(quotes[0]))
    rows = np.zeros((len(quotes), LAGS))
    rows[LAGS - 1 :] = np.lib.stride_tricks.sliding_window_view(returns / scale, LAGS)
    return rows
