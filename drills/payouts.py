"""Reprice the payouts recorded on Deriv from 2017 to 2026 with the exchange's own code and its shipped commissions.

Each row is read as the request that would have asked for it, parsed, and quoted at the row's spot under the
commission the shipped table has for the row's schedule, date, symbol, type and duration. Nothing is fitted here.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from paper_exchange.contracts.commissions import schedules
from paper_exchange.contracts.pricing import quote
from paper_exchange.contracts.terms import Terms, parse_terms
from paper_exchange.errors import CallError
from paper_exchange.markets.calendar import calendar_of
from xtitan_core.symbols import SYMBOLS, SymbolKind

OBSERVED = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "real" / "payouts_observed.csv"

_DAYS = {
    "2026 (after 06-07, day unstated)": "2026-06-15",
    "2026 (day unstated)": "2026-07-15",
    "2026, by 09-29 (day unstated)": "2026-09-29",
}
"""Days assumed for rows without one, in the order in which their sources appeared."""

_HIGHER_LOWER = {"CALL": "HIGHER", "PUT": "LOWER"}
"""HIGHER and LOWER were CALL and PUT with a barrier in the old API."""


class Unmatched(StrEnum):
    """Why a payout is not reproduced."""

    NOT_OFFERED = "asian contracts are not offered here"
    FOREX_FORWARD = "daily forex prices carry interest and a volatility surface: CALL and PUT are not alike"
    SPOT_UNKNOWN = "the barrier is an offset from a spot that was not recorded"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One recorded price against ours.

    Attributes:
        row: as recorded.
        ours: our ask and payout, None where it cannot be quoted.
        matched: equal to the cent.
        reason: None when it is matched.
    """

    row: Mapping[str, str]
    ours: tuple[Decimal, Decimal] | None
    matched: bool
    reason: Unmatched | None


def reprice(path: Path) -> list[Verdict]:
    """Every recorded price, repriced."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [_verdict(row) for row in csv.DictReader(lines)]


def _verdict(row: Mapping[str, str]) -> Verdict:
    ours = _ours(row)
    recorded = Decimal(row["stake"]), Decimal(row["payout"])
    if ours is not None and ours == recorded:
        return Verdict(row, ours, True, None)
    return Verdict(row, ours, False, _reason(row))


def _reason(row: Mapping[str, str]) -> Unmatched:
    if row["contract_type"].startswith("ASIAN"):
        return Unmatched.NOT_OFFERED
    if SYMBOLS[row["symbol"]].kind is SymbolKind.FOREX and row["duration_unit"] == "d":
        return Unmatched.FOREX_FORWARD
    if row["barrier"].startswith("+") and not row["spot"]:
        return Unmatched.SPOT_UNKNOWN
    return Unmatched.UNEXPLAINED


def _ours(row: Mapping[str, str]) -> tuple[Decimal, Decimal] | None:
    symbol = SYMBOLS[row["symbol"]]
    now = int(datetime.fromisoformat(_DAYS.get(row["observed_at"], row["observed_at"])).replace(tzinfo=UTC).timestamp())
    spot = float(row["spot"] or symbol.initial_price)
    if row["barrier"].startswith("+") and not row["spot"]:
        return None
    try:
        terms = parse_terms(_request(row), symbol, now, "USD", spot=spot, calendar=calendar_of(symbol))
    except CallError:
        return None
    price = quote(terms, spot, now, _commission(row, terms, now))
    return price.ask, price.payout


def _commission(row: Mapping[str, str], terms: Terms, now: int) -> float:
    # Purchases on jump indices paid less than their quotes; they have a schedule of their own.
    differed = row["note"].startswith("the buy response differed")
    table = schedules()["bought" if differed else "recorded"]
    contract = terms.contract
    return table.rate(now, terms.symbol.name, contract.contract_type, contract.duration, contract.unit)


def _request(row: Mapping[str, str]) -> dict[str, Any]:
    """The request that asks for a recorded contract.

    The request names the stake, except where a round payout shows that the payout was named.
    """
    kind, digits = row["contract_type"], row["contract_type"].startswith("DIGIT")
    barrier = row["barrier"]
    if barrier and not digits:
        kind = _HIGHER_LOWER.get(kind, kind)
    by_payout = Decimal(row["stake"]) % 1 and not Decimal(row["payout"]) % 1
    request: dict[str, Any] = {
        "amount": float(row["payout"] if by_payout else row["stake"]),
        "basis": "payout" if by_payout else "stake",
        "contract_type": kind,
        "currency": "USD",
        "duration": int(row["duration"]),
        "duration_unit": row["duration_unit"],
        "underlying_symbol": row["symbol"],
    }
    return {**request, "barrier": barrier} if barrier else request


def drill() -> dict[str, Any]:
    """Count the matches and print what is left over."""
    if not OBSERVED.exists():
        print("   skipped: the observed payouts are not beside this checkout")
        return {"holds": True, "skipped": True}
    verdicts = reprice(OBSERVED)
    matched = sum(verdict.matched for verdict in verdicts)
    left = Counter(verdict.reason for verdict in verdicts if verdict.reason is not None)
    print(f"   {matched} of {len(verdicts)} recorded payouts matched to the cent")
    for reason, count in left.most_common():
        print(f"   {count:3d} {reason}")
    for verdict in verdicts:
        if verdict.reason is Unmatched.UNEXPLAINED:
            print(f"       {verdict.row} ours {verdict.ours}")
    return {
        "matched": matched,
        "recorded": len(verdicts),
        "left": {str(reason): count for reason, count in left.items()},
        "holds": Unmatched.UNEXPLAINED not in left,
    }
