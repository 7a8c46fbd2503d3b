"""The promotion rule: how large a bankroll must be.

Budget: at most 5 % per account and calendar year for *any* false promotion, over J registrations in each of L
declared lineages. Half of a lineage's share is spent on its lineage bankroll, which never resets; the other half on
the candidates' own bankrolls by the union bound. By Ville's inequality that holds for every look and dependence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from xtitan_core.evidence.cash_account import EvidenceError

ALPHA = 0.05
"""Probability of any false promotion on one account in one calendar year."""


class Rule(StrEnum):
    """Which clause of the rule promoted."""

    LINEAGE = "lineage"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Bankrolls needed.

    Attributes:
        lineage: lineage bankroll, together with ``own``.
        own: the candidate's own bankroll, together with ``lineage``. A candidate without edge that rides on a lineage
            which once had one still needs this: at most 5 % each.
        alone: the candidate's own bankroll, whatever its lineage did.
    """

    lineage: float
    own: float
    alone: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Promote or not, and by which clause (None when not)."""

    promote: bool
    rule: Rule | None


def thresholds(lineages: int, budget: int, alpha: float = ALPHA) -> Thresholds:
    """Thresholds for L declared lineages and J registrations per lineage and year (40, 20, 2000 for 1 and 50).

    Raises:
        EvidenceError: when a count is below 1 or alpha is not in (0, 1).
    """
    if lineages < 1 or budget < 1:
        raise EvidenceError(f"lineages and budget must be at least 1, got {lineages} and {budget}")
    if not 0.0 < alpha < 1.0:
        raise EvidenceError(f"alpha must lie strictly between 0 and 1, got {alpha}")
    half = alpha / 2.0 / lineages
    return Thresholds(lineage=1.0 / half, own=1.0 / alpha, alone=budget / half)


def verdict(e_lineage: float, e_own: float, needed: Thresholds) -> Verdict:
    """Apply the rule to the *current* bankrolls (not their maxima: evidence that was lost again does not promote)."""
    if not (math.isfinite(e_lineage) and math.isfinite(e_own)):
        return Verdict(False, None)
    if e_lineage >= needed.lineage and e_own >= needed.own:
        return Verdict(True, Rule.LINEAGE)
    if e_own >= needed.alone:
        return Verdict(True, Rule.ALONE)
    return Verdict(False, None)
