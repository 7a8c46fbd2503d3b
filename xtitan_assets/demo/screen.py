"""The one-screen verdict for a terminal."""

from __future__ import annotations

from pathlib import Path

from xtitan_assets.demo.results import DemoResult, MarketResult, RunnerResult

WIDTH = 88


def market_lines(result: MarketResult) -> list[str]:
    """The gate's verdict on one market, and the largest edge that it leaves possible."""
    verdict = "PROMOTED" if result.promoted else "NOT PROMOTED"
    lines = [f" {result.symbol} ({result.market}): {verdict}"]
    rate = result.wins / result.trades if result.trades else 0.0
    lines.append(
        f"   evidence: an honest paper bankroll stands at {result.bankroll:.3g}; it needed {result.threshold:.0f}"
    )
    lines.append(
        f"   shadow: {result.slots} slots, {result.trades} trades the {result.candidate} model wanted"
        + (f", {rate:.1%} won" if result.trades else "")
        + f" (break-even {result.break_even:.1%})"
    )
    if result.why:
        lines.append(f"   gate: {result.why}")
    if result.promoted and result.oracle is not None:
        lines.append(
            f"   the best possible win rate there is up to {result.oracle:.1%}, known from how the market was made"
        )
    if result.market == "recorded":
        lines.append("   trained on a simulated history before the recording, shadowed on the recording")
    if not result.promoted:
        lines.append(
            f"   largest edge still possible: {result.edge_upper:+.1%} of the stake (95 %, at any time), "
            "for the side it preferred"
        )
    return lines


def naive_market(refused: MarketResult) -> str:
    """What the usual rule was tried on: the downloaded history, and before a recording that is a simulated one."""
    if refused.market == "recorded":
        return f"the simulated {refused.symbol} before the recording"
    return f"{refused.symbol} ({refused.market})"


def runner_lines(result: RunnerResult) -> list[str]:
    """What was traded, and whether the books agree."""
    return [
        f" live_runner on the {result.market} market",
        f"   {result.contracts} contracts bought and settled, {result.wins} won = {result.win_rate:.1%}; "
        f"predicted {result.predicted_low:.1%} to {result.predicted_high:.1%}",
        f"   kill -9 between a buy and its answer: contract {result.killed_contract} "
        + ("was found again, bought once" if result.killed_contract_in_ledger else "IS LOST"),
        f"   ledger {result.ledger_total} USD, exchange {result.exchange_balance} USD; "
        f"{result.exchange_buys} buys there, {result.ledger_buys} here",
    ]


def verdict(result: DemoResult, report: Path) -> str:
    """The whole screen."""
    rule = "─" * WIDTH
    lines = [rule, " x.titan: the verdict", rule]
    for market in result.markets:
        lines += [*market_lines(market), ""]
    lines += [*runner_lines(result.runner), ""]
    fooled = sum(r.promoted for r in result.naive)
    lines.append(
        f" The usual rule (win rate on 500 validation trades) would have promoted {fooled} of {len(result.naive)}"
    )
    lines += [f" retrains on {naive_market(result.markets[0])}, where no edge exists.", rule]
    for name, holds in result.conditions().items():
        lines.append(f"  {'ok  ' if holds else 'FAIL'}  {name}")
    home = report.parent
    ui = "make ui" if home == Path(".demo").resolve() else f"xtitan ui --home {home}"
    lines += [rule, f" {result.seconds:.0f} seconds · report {report} · runs: {ui}", rule]
    return "\n".join(lines)
