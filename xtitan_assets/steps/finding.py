"""What a check answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of one check.

    Attributes:
        passed: False stops what depends on the data.
        summary: one line a person reads in the check's description.
        details: numbers behind it.
    """

    passed: bool
    summary: str
    details: dict[str, Any] = field(default_factory=dict)
