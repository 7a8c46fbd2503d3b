"""The certificate: everything a promotion claims, in one record that anyone can recompute from the trades."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was shown for one candidate at one look.

    Attributes:
        model_name: the lineage.
        model_version: version in the registry.
        bundle_id: SHA-256 of the manifest.
        account_id: account whose quotes the evidence belongs to.
        symbol: what was traded.
        registered_epoch: only decisions strictly after it count; venue time, seconds.
        last_epoch: venue time of the newest record looked at.
        promote: the gate's verdict.
        rule: clause that promoted: lineage, alone, or empty.
        e_lineage: lineage bankroll.
        e_own: the candidate's own bankroll.
        need_lineage, need_own, need_alone: thresholds.
        edges: edge levels the bankrolls are mixed over.
        haircut: fraction taken off each payout ratio.
        trades, wins, refunds, open_trades: counted shadow trades of this candidate (settled: trades).
        ratio: mean payout ratio as quoted; 0 without trades.
        break_even: win rate of zero expected value at that ratio, before the haircut.
        win_rate: observed share of wins among decided trades.
        win_rate_low: its anytime 95 % lower bound (KT mixture over a ``max_overlap``-th of the counts).
        edge_low: the same as expected profit per unit of stake, after the haircut.
        edge_high: anytime 95 % upper bound of the expected profit per unit of stake.
        max_overlap: most contracts open at once.
        candidates: registrations of this lineage in this calendar year, this one included.
        budget_left: registrations left.
        missed: wanted trades that never counted, by reason.
        excluded: shadow trades that were not evidence, by reason.
        trades_sha256: hash of the exported events the bankrolls are computed from.
    """

    model_name: str
    model_version: str
    bundle_id: str
    account_id: str
    symbol: str
    registered_epoch: int
    last_epoch: int
    promote: bool
    rule: str
    e_lineage: float
    e_own: float
    need_lineage: float
    need_own: float
    need_alone: float
    edges: tuple[float, ...]
    haircut: float
    trades: int
    wins: int
    refunds: int
    open_trades: int
    ratio: float
    break_even: float
    win_rate: float
    win_rate_low: float
    edge_low: float
    edge_high: float
    max_overlap: int
    candidates: int
    budget_left: int
    missed: dict[str, int]
    excluded: dict[str, int]
    trades_sha256: str

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return json.loads(self.canonical_bytes())  # type: ignore[no-any-return]

    def canonical_bytes(self) -> bytes:
        """Canonical JSON: sorted keys, no spaces, finite numbers."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    @property
    def sha256(self) -> str:
        """Identity of the certificate."""
        return hashlib.sha256(self.canonical_bytes()).hexdigest()

    def text(self) -> str:
        """The certificate as a person reads it."""
        verdict = f"PROMOTED by the {self.rule} rule" if self.promote else "NOT PROMOTED"
        missed = ", ".join(f"{k} {v}" for k, v in sorted(self.missed.items())) or "none"
        excluded = ", ".join(f"{k} {v}" for k, v in sorted(self.excluded.items())) or "none"
        rows = [
            ("model", f"{self.model_name} version {self.model_version} ({self.symbol})"),
            ("bundle", self.bundle_id),
            ("account", self.account_id or "none seen yet"),
            ("verdict", verdict),
            ("lineage bankroll", f"{self.e_lineage:.4g}  (needs {self.need_lineage:g}, together with the next)"),
            ("own bankroll", f"{self.e_own:.4g}  (needs {self.need_own:g}, or {self.need_alone:g} alone)"),
            (
                "shadow trades",
                f"{self.trades} settled, {self.wins} won, {self.refunds} refunded, {self.open_trades} open "
                f"(counted as lost), at most {self.max_overlap} at once",
            ),
            (
                "win rate",
                f"{self.win_rate:.4f}, at least {self.win_rate_low:.4f} at 95 %, break-even {self.break_even:.4f}",
            ),
            ("payout ratio", f"{self.ratio:.4f} quoted, {self.haircut:.1%} of it taken off"),
            ("edge per stake", f"at least {self.edge_low:+.4f}, at most {self.edge_high:+.4f} at 95 %, at every look"),
            ("candidates", f"{self.candidates} registered this year, {self.budget_left} left in the budget"),
            ("missed trades", missed),
            ("not counted", excluded),
            ("evidence", f"venue time {self.registered_epoch} < t <= {self.last_epoch}"),
            ("trades sha256", self.trades_sha256),
        ]
        return "\n".join(["x.titan certificate of evidence", *(f"{name:<17} {value}" for name, value in rows)]) + "\n"
