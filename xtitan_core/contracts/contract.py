"""What is bought, without price or time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xtitan_core.contracts.types import (
    DIGITS,
    ONE_BARRIER,
    PREDICTIONS,
    TOUCH,
    TWO_BARRIERS,
    UNIT_SECONDS,
    ContractError,
    ContractType,
    DurationUnit,
)


@dataclass(frozen=True, slots=True)
class Contract:
    """One contract's conditions.

    Attributes:
        contract_type: Deriv's type.
        duration: a positive number of ``unit``.
        unit: ticks or a time unit; digits are in ticks.
        barrier: the (upper) barrier; None for rise/fall and digits. A relative HIGHER/LOWER barrier has either sign.
        barrier2: the lower barrier; None unless the type has two.
        absolute: False when barriers are offsets from the entry quote in price units, True when they are levels.
        below: of an absolute touch barrier, True when it lay below the spot at purchase; None for anything else.
        digit: the predicted last digit, None where the type predicts none.

    Raises:
        ContractError: when the parts do not make a contract.
    """

    contract_type: ContractType
    duration: int
    unit: DurationUnit
    barrier: float | None = None
    barrier2: float | None = None
    absolute: bool = False
    below: bool | None = None
    digit: int | None = None

    def __post_init__(self) -> None:
        kind = self.contract_type
        if self.duration <= 0:
            raise ContractError(f"duration must be positive, got {self.duration}{self.unit}")
        wanted = 1 if kind in ONE_BARRIER else 2 if kind in TWO_BARRIERS else 0
        given = (self.barrier is not None) + (self.barrier2 is not None)
        if given != wanted or (wanted == 1 and self.barrier is None):
            raise ContractError(f"{kind} takes {wanted} barrier(s), got {given}")
        if not all(math.isfinite(b) for b in (self.barrier, self.barrier2) if b is not None):
            raise ContractError(f"{kind} needs finite barriers")
        if self.absolute and wanted == 0:
            raise ContractError(f"{kind} has no barrier that could be absolute")
        if (self.below is not None) != (self.absolute and kind in TOUCH):
            raise ContractError(f"{kind}: below is given for an absolute touch barrier, and only there")
        if kind in TOUCH and not self.absolute and self.barrier == 0:
            raise ContractError(f"{kind} needs a barrier away from the entry")
        if wanted == 2:
            upper, lower = self.barrier, self.barrier2
            if self.absolute and not lower < upper:  # type: ignore[operator]
                raise ContractError(f"{kind} needs its second barrier below its first")
            if not self.absolute and not lower < 0 < upper:  # type: ignore[operator]
                raise ContractError(f"{kind} needs one barrier on either side of the entry")
        if kind in DIGITS and not self.in_ticks:
            raise ContractError(f"{kind} is offered in ticks only")
        choices = PREDICTIONS.get(kind)
        if choices is None and self.digit is not None:
            raise ContractError(f"{kind} predicts no digit")
        if choices is not None and self.digit not in choices:
            raise ContractError(f"{kind} predicts a digit from {choices[0]} to {choices[-1]}, got {self.digit}")

    @property
    def in_ticks(self) -> bool:
        """True when the duration counts ticks."""
        return self.unit is DurationUnit.TICKS

    @property
    def seconds(self) -> int:
        """Duration in seconds.

        Raises:
            ContractError: for a duration in ticks.
        """
        if self.in_ticks:
            raise ContractError("a duration in ticks has no fixed length in seconds")
        return self.duration * UNIT_SECONDS[self.unit]
