"""What the demo found, as data, and the conditions it must meet."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from xtitan_core.evidence.cash_account import CashAccount, Outcome
from xtitan_core.journal import (
    AnyRecord,
    DecisionRecord,
    ShadowSettlementRecord,
    ShadowTradeRecord,
    TradeRecord,
    TradeSettlementRecord,
)

Z_999 = 3.2905267
"""Two-sided 99.9 % quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Bin:
    """One bin of a reliability curve: mean prediction, observed frequency, decisions."""

    predicted: float
    observed: float
    count: int


@dataclass(frozen=True)
class MarketResult:
    """How the gate judged one market.

    Attributes:
        symbol, market: what was judged: ``fair``, ``planted``, ``recorded`` or ``redrawn``.
        expected: the verdict that the market's construction calls for.
        promoted: the gate's verdict.
        candidate: the model that was shadowed: ``logistic`` or ``network``.
        slots: slots decided in shadow; where the model abstains they are settled on the refused market only.
        trades, wins: counted shadow trades: those the model wanted. Only they are evidence.
        bankroll, threshold: the evidence and what it needed.
        break_even: win rate of zero expected value at the quotes.
        edge_upper: largest edge (expected value per unit of stake) that 95 % anytime confidence leaves, from the
            preferred side at every slot.
        oracle: best possible win rate, where the construction gives one.
        bankroll_path: ``(trade number, lineage bankroll)`` for plotting.
        forced_path: the same account had it been forced to take the preferred side at every slot; never evidence.
        reasons: the runner's decisions by closed reason code.
        reliability: calibration bins on the test span.
        why: the rule behind the gate's last evaluation, one line.
    """

    name: str
    symbol: str
    market: str
    expected: bool
    promoted: bool
    candidate: str
    slots: int
    trades: int
    wins: int
    bankroll: float
    threshold: float
    break_even: float
    edge_upper: float
    oracle: float | None
    bankroll_path: list[tuple[int, float]] = field(default_factory=list)
    forced_path: list[tuple[int, float]] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)
    reliability: list[Bin] = field(default_factory=list)
    why: str = ""

    @property
    def right(self) -> bool:
        """True when the verdict is the one the construction calls for."""
        return self.promoted is self.expected


@dataclass(frozen=True)
class RunnerResult:
    """What the runner did with the account, and whether its ledger agrees with the exchange."""

    market: str
    contracts: int
    wins: int
    refunded: int
    predicted_low: float
    predicted_high: float
    predicted_mean: float
    ledger_total: str
    exchange_balance: str
    unresolved: int
    exchange_buys: int
    ledger_buys: int
    killed_contract: int
    killed_contract_in_ledger: bool
    journal_contracts: int
    equity: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def nothing(cls, market: str) -> RunnerResult:
        """The runner did not trade, because nothing was promoted."""
        return cls(market, 0, 0, 0, 0.0, 0.0, 0.0, "", "", 0, 0, 0, 0, False, 0)

    @property
    def win_rate(self) -> float:
        """Realised share of wins among the contracts that were not refunded."""
        return self.wins / max(self.contracts - self.refunded, 1)

    def conditions(self, wanted: int) -> dict[str, bool]:
        """Every condition on the runner, by name."""
        return {
            f"at least {wanted} contracts bought and settled": self.contracts >= wanted,
            "win rate inside the predicted 99.9 % interval": self.predicted_low <= self.win_rate <= self.predicted_high,
            "ledger total equals the exchange's balance to the cent": self.ledger_total == self.exchange_balance,
            "nothing left unresolved": self.unresolved == 0,
            "every contract of the exchange is in the ledger once": self.exchange_buys == self.ledger_buys,
            "the contract bought at the kill -9 was found again": self.killed_contract_in_ledger,
            "the journal tells every contract": self.journal_contracts == self.exchange_buys,
        }


@dataclass(frozen=True)
class NaiveRetrain:
    """One retrain under the usual rule: promote when the win rate on 500 validation trades beats break-even."""

    retrain: int
    win_rate: float
    promoted: bool


@dataclass
class DemoResult:
    """The whole demo."""

    seed: int
    markets: list[MarketResult]
    runner: RunnerResult
    naive: list[NaiveRetrain]
    wanted_contracts: int
    seconds: float = 0.0

    def conditions(self) -> dict[str, bool]:
        """Everything that must hold for exit code 0."""
        verdicts = {f"{m.name}: {'promoted' if m.expected else 'not promoted'}": m.right for m in self.markets}
        return {**verdicts, **self.runner.conditions(self.wanted_contracts)}

    @property
    def ok(self) -> bool:
        return all(self.conditions().values())

    def as_json(self) -> dict[str, Any]:
        """The document that ``--json`` writes."""
        return {
            "ok": self.ok,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "conditions": self.conditions(),
            "markets": [asdict(m) for m in self.markets],
            "runner": {**asdict(self.runner), "win_rate": self.runner.win_rate},
            "naive_rule": {
                "rule": "validation win rate on 500 trades above break-even",
                "retrains": [asdict(r) for r in self.naive],
                "promoted": sum(r.promoted for r in self.naive),
            },
        }


def predicted_interval(probabilities: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 99.9 % interval of the win rate that these calibrated probabilities predict.

    Normal approximation of the Poisson-binomial distribution, with continuity correction.

    Returns:
        ``(low, mean, high)``.
    """
    n = len(probabilities)
    if n == 0:
        return 0.0, 0.0, 0.0
    mean = math.fsum(probabilities) / n
    spread = Z_999 * math.sqrt(math.fsum(p * (1 - p) for p in probabilities)) / n + 0.5 / n
    return max(mean - spread, 0.0), mean, min(mean + spread, 1.0)


def decisions_by_reason(records: Sequence[AnyRecord]) -> dict[str, int]:
    """How often each closed reason code decided."""
    return dict(Counter(r.reason for r in records if isinstance(r, DecisionRecord)))


def forced_path(records: Sequence[AnyRecord], haircut: float, points: int = 400) -> list[tuple[int, float]]:
    """Bankroll of the evidence account, had it taken every shadow trade, wanted or not.

    Args:
        records: the runner's journal, in order.
        haircut: the gate's, so that both accounts are judged alike.
        points: of the path, about.

    Returns:
        At most about ``points`` pairs of (trades settled, bankroll), the last one included.
    """
    account = CashAccount(haircut=haircut)
    path = [(0, 1.0)]
    for record in records:
        # Stakes leave the account at purchase, as in the gate's own account. Buying and settling in one step would
        # ignore that trades overlap.
        if isinstance(record, ShadowTradeRecord):
            account.purchase(record.trade_id, record.payout_cents / record.ask_cents - 1.0)
        elif isinstance(record, ShadowSettlementRecord):
            account.settle(record.trade_id, Outcome(record.outcome))
            path.append((len(path), account.bankroll))
    step = max(len(path) // points, 1)
    return [*path[::step], path[-1]]


def cents(amount: int) -> str:
    """Integer cents as an amount with two decimals."""
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02d}"


def judge_runner(
    market: str, records: Sequence[AnyRecord], truth: dict[str, Any], status: dict[str, Any], killed: int
) -> RunnerResult:
    """Compare journal, ledger and the exchange's own record.

    Args:
        market: name of the world.
        records: the runner's journal, in order.
        truth: the exchange's ``/paper/truth``.
        status: ``live_runner status --json``.
        killed: contract whose answer was held when the runner was killed.
    """
    trades = {r.contract_id: r for r in records if isinstance(r, TradeRecord)}
    ends = {r.contract_id: r for r in records if isinstance(r, TradeSettlementRecord)}
    settled = [trades[c] for c in ends if c in trades]
    low, mean, high = predicted_interval([t.probability for t in settled])
    account = str(status["account_id"])
    buys = [b for b in truth["buys"] if b["account_id"] == account]
    balance = int(status["opening_cents"])
    equity = [(0, balance)]
    for end in sorted(ends.values(), key=lambda r: (r.epoch, r.contract_id)):
        if end.contract_id in trades:
            balance += end.sell_cents - trades[end.contract_id].buy_cents
            equity.append((len(equity), balance))
    return RunnerResult(
        market=market,
        contracts=len(settled),
        wins=sum(ends[t.contract_id].outcome == "won" for t in settled),
        refunded=sum(ends[t.contract_id].outcome == "refunded" for t in settled),
        predicted_low=low,
        predicted_high=high,
        predicted_mean=mean,
        ledger_total=cents(int(status["ledger_total_cents"])),
        exchange_balance=next(str(a["balance"]) for a in truth["accounts"] if a["account_id"] == account),
        unresolved=int(status["unresolved"]),
        exchange_buys=len(buys),
        ledger_buys=int(status["contracts"]),
        killed_contract=killed,
        killed_contract_in_ledger=killed in trades,
        journal_contracts=len(trades),
        equity=equity,
    )
