"""The HTML report: one self-contained page with five pictures."""

from __future__ import annotations

import html
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xtitan_assets.demo.results import DemoResult, MarketResult
from xtitan_assets.demo.screen import market_lines, naive_market, runner_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GOOD, BAD, ACCENT = "#1c2330", "#8b93a3", "#1f8a5b", "#c0392b", "#2457c5"

STYLE = """
:root{color-scheme:light}*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;color:#1c2330;background:#f5f6f8;margin:0}
main{max-width:1080px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:28px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 8px}p{margin:6px 0;max-width:75ch}
.sub{color:#5b6475}.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:16px;margin:20px 0}
.card{background:#fff;border:1px solid #dfe3ea;border-radius:10px;padding:16px 18px}
.card b.v{display:block;font-size:20px;margin-bottom:6px}.yes{color:#1f8a5b}.no{color:#1c2330}.bad{color:#c0392b}
figure{background:#fff;border:1px solid #dfe3ea;border-radius:10px;margin:12px 0;padding:12px}
figure svg{width:100%;height:auto}figcaption{color:#5b6475;font-size:14px;padding:4px 8px}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:16px}
table{border-collapse:collapse;background:#fff;width:100%}td,th{padding:6px 10px;border-bottom:1px solid #e6e9ef;text-align:left}
"""


def picture(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty plot in the report's style; no display is needed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9)
    return figure, axes


def svg(figure: Figure) -> str:
    """The figure as inline SVG."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def bankrolls(result: DemoResult) -> str:
    """Evidence of every market against the threshold."""
    figure, axes = picture(9.5, 4.0)
    refused, promoted = result.markets
    lines: tuple[tuple[list[tuple[int, float]], dict[str, Any], str], ...] = (
        (promoted.bankroll_path, {"color": ACCENT, "lw": 1.8}, f"{promoted.symbol} ({promoted.market})"),
        (refused.bankroll_path, {"color": INK, "lw": 1.8}, f"{refused.symbol} ({refused.market})"),
        (
            refused.forced_path,
            {"color": BAD, "lw": 1.2, "ls": ":"},
            f"{refused.symbol} ({refused.market}), had it been forced to trade every slot",
        ),
    )
    for path, style, label in lines:
        n, e = zip(*(path or [(0, 1.0)]), strict=True)
        marker = "o" if len(n) == 1 else None
        axes.plot(n, [max(x, 1e-3) for x in e], label=label, marker=marker, ms=4, **style)
    axes.axhline(result.markets[0].threshold, color=GOOD, ls="--", lw=1.2, label="promotion threshold")
    axes.axhline(1.0, color=MUTED, lw=0.8)
    axes.set_yscale("log")
    axes.set_xscale("symlog", linthresh=100)
    axes.set_xlim(left=-2)
    axes.set_xlabel("shadow trades")
    axes.set_ylabel("bankroll of an honest paper account")
    axes.legend(frameon=False, fontsize=9)
    return svg(figure)


def usual_rule(result: DemoResult) -> str:
    """Win rate of ten retrains on the market without an edge, under the usual rule."""
    figure, axes = picture(9.5, 3.0)
    colours = [BAD if r.promoted else MUTED for r in result.naive]
    axes.bar([r.retrain for r in result.naive], [r.win_rate for r in result.naive], color=colours, width=0.65)
    axes.axhline(result.markets[0].break_even, color=INK, ls="--", lw=1.0, label="break-even")
    axes.set_ylim(min(0.44, *(r.win_rate - 0.01 for r in result.naive)), max(0.58, *(r.win_rate for r in result.naive)))
    axes.set_xticks([r.retrain for r in result.naive])
    axes.set_xlabel("retrain")
    axes.set_ylabel("win rate, 500 validation trades")
    axes.legend(frameon=False, fontsize=9)
    return svg(figure)


def reliability(market: MarketResult) -> str:
    """Predicted against observed win rate on the test span."""
    figure, axes = picture(4.6, 3.8)
    rows = market.reliability
    axes.plot([0, 1], [0, 1], color=MUTED, lw=1.0)
    if rows:
        axes.errorbar(
            [r.predicted for r in rows],
            [r.observed for r in rows],
            yerr=[1.96 * (max(r.observed * (1 - r.observed), 1e-9) / max(r.count, 1)) ** 0.5 for r in rows],
            fmt="o",
            color=ACCENT,
            ms=5,
            lw=1.0,
        )
        low = min(min(r.predicted, r.observed) for r in rows) - 0.05
        high = max(max(r.predicted, r.observed) for r in rows) + 0.05
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
    axes.set_xlabel("predicted win probability")
    axes.set_ylabel("observed")
    return svg(figure)


def equity(result: DemoResult) -> str:
    """Balance after each settled contract."""
    figure, axes = picture(4.6, 3.8)
    if result.runner.equity:
        n, balance = zip(*result.runner.equity, strict=True)
        axes.step(n, [b / 100 for b in balance], where="post", color=ACCENT, lw=1.6)
    axes.set_xlabel("settled contracts")
    axes.set_ylabel("account, USD")
    return svg(figure)


def decisions(result: DemoResult) -> str:
    """Decisions of the runner by market and reason."""
    rows = [
        (f"{market.market}: {reason.replace('_', ' ')}", count)
        for market in reversed(result.markets)
        for reason, count in sorted(market.reasons.items(), key=lambda item: item[1])
    ]
    figure, axes = picture(9.5, 0.9 + 0.35 * max(len(rows), 1))
    bars = axes.barh([name for name, _ in rows], [count for _, count in rows], color=ACCENT, height=0.6)
    axes.bar_label(bars, padding=4, fontsize=9)
    axes.set_xlabel("decisions")
    return svg(figure)


def figure(drawing: str, caption: str) -> str:
    return f"<figure>{drawing}<figcaption>{html.escape(caption)}</figcaption></figure>"


def card(lines: list[str], kind: str) -> str:
    head, *rest = [html.escape(line.strip()) for line in lines]
    return f'<div class="card"><b class="v {kind}">{head}</b>{"".join(f"<p>{line}</p>" for line in rest)}</div>'


def write_report(result: DemoResult, path: Path) -> Path:
    """Write the page; returns its path."""
    refused, promoted = result.markets
    fooled = sum(r.promoted for r in result.naive)
    rows = "".join(
        f"<tr><td class='{'yes' if holds else 'bad'}'>{'holds' if holds else 'FAILS'}</td><td>{html.escape(name)}</td></tr>"
        for name, holds in result.conditions().items()
    )
    body = f"""<main>
<h1>x.titan: the verdict</h1>
<p class="sub">Seed {result.seed}, {
        result.seconds:.0f} seconds. Everything ran for real on this machine: the exchange over its socket,
the Dagster jobs, the MLflow registry, the runner. Nothing here was verified on live Deriv.</p>
<div class="cards">
{card(market_lines(refused), "yes" if refused.right else "bad")}
{card(market_lines(promoted), "yes" if promoted.right else "bad")}
{card(runner_lines(result.runner), "yes" if all(result.runner.conditions(result.wanted_contracts).values()) else "bad")}
</div>
<h2>Evidence against its threshold</h2>
{
        figure(
            bankrolls(result),
            "Each line is the bankroll of a paper account that bets on the model's shadow trades, stake debited at purchase. "
            "Without an edge it reaches the threshold with a probability of at most 2.5 %, however often one looks.",
        )
    }
<h2>What the usual rule would have done</h2>
<p>Promote when the win rate on 500 validation trades beats break-even: {fooled} of {
        len(result.naive)
    } retrains on a market where no edge exists
would have gone live (red).</p>
{
        figure(
            usual_rule(result),
            f"Ten retrains on {naive_market(refused)}; the dashed line is break-even at the quoted payout.",
        )
    }
<div class="two">
<div><h2>Reliability ({html.escape(promoted.market)})</h2>{
        figure(reliability(promoted), "Calibrated probability against what happened on the test span, with 95 % bars.")
    }</div>
<div><h2>Equity ({html.escape(result.runner.market)})</h2>{
        figure(equity(result), "The account at canary stakes, settled by the exchange.")
    }</div>
</div>
<h2>Decisions by reason</h2>
{figure(decisions(result), "Every decision that led to the verdicts, by its closed reason code.")}
<h2>Conditions</h2><table>{rows}</table>
</main>"""
    page = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>x.titan demo</title>"
        f"<meta name='viewport' content='width=device-width,initial-scale=1'><style>{STYLE}</style></head><body>{body}</body></html>"
    )
    path.write_text(page, encoding="utf-8")
    return path
