"""Contract types, their families, and units of a duration."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from xtitan_core.clock import DAY
from xtitan_core.errors import XtitanError

Epochs = npt.NDArray[np.int64]
Quotes = npt.NDArray[np.float64]

TICK_CONTRACT_LIMIT_SECONDS = 300
"""A contract in ticks that has not ended so long after its start is refunded: the market stood still."""


class ContractError(XtitanError, ValueError):
    """A contract that cannot exist, for example a touch contract without a barrier."""


class ContractType(StrEnum):
    """Deriv's contract types that x.titan settles."""

    CALL = "CALL"
    PUT = "PUT"
    CALLE = "CALLE"
    PUTE = "PUTE"
    HIGHER = "HIGHER"
    LOWER = "LOWER"
    ONETOUCH = "ONETOUCH"
    NOTOUCH = "NOTOUCH"
    RANGE = "RANGE"
    UPORDOWN = "UPORDOWN"
    EXPIRYRANGE = "EXPIRYRANGE"
    EXPIRYMISS = "EXPIRYMISS"
    EXPIRYRANGEE = "EXPIRYRANGEE"
    EXPIRYMISSE = "EXPIRYMISSE"
    DIGITMATCH = "DIGITMATCH"
    DIGITDIFF = "DIGITDIFF"
    DIGITOVER = "DIGITOVER"
    DIGITUNDER = "DIGITUNDER"
    DIGITODD = "DIGITODD"
    DIGITEVEN = "DIGITEVEN"


class DurationUnit(StrEnum):
    """Units of a duration. A day is 24 hours here; the exchange turns a contract that ends with a trading day
    into one in seconds."""

    TICKS = "t"
    SECONDS = "s"
    MINUTES = "m"
    HOURS = "h"
    DAYS = "d"


UNIT_SECONDS = {DurationUnit.SECONDS: 1, DurationUnit.MINUTES: 60, DurationUnit.HOURS: 3_600, DurationUnit.DAYS: DAY}

_PAIRS = (
    (ContractType.CALL, ContractType.PUT),
    (ContractType.CALLE, ContractType.PUTE),
    (ContractType.HIGHER, ContractType.LOWER),
    (ContractType.ONETOUCH, ContractType.NOTOUCH),
    (ContractType.RANGE, ContractType.UPORDOWN),
    (ContractType.EXPIRYRANGE, ContractType.EXPIRYMISS),
    (ContractType.EXPIRYRANGEE, ContractType.EXPIRYMISSE),
    (ContractType.DIGITMATCH, ContractType.DIGITDIFF),
    (ContractType.DIGITOVER, ContractType.DIGITUNDER),
    (ContractType.DIGITODD, ContractType.DIGITEVEN),
)
OPPOSITE = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
"""The other side of each type, as Deriv lists them together (OVER 4 and UNDER 4 are not complements: 4 loses both)."""

RISE_FALL = frozenset({ContractType.CALL, ContractType.PUT, ContractType.CALLE, ContractType.PUTE})
HIGHER_LOWER = frozenset({ContractType.HIGHER, ContractType.LOWER})
TOUCH = frozenset({ContractType.ONETOUCH, ContractType.NOTOUCH})
STAYS = frozenset({ContractType.RANGE, ContractType.UPORDOWN})
ENDS = frozenset(
    {ContractType.EXPIRYRANGE, ContractType.EXPIRYMISS, ContractType.EXPIRYRANGEE, ContractType.EXPIRYMISSE}
)
DIGITS = frozenset(t for t in ContractType if t.value.startswith("DIGIT"))
ONE_BARRIER = HIGHER_LOWER | TOUCH
TWO_BARRIERS = STAYS | ENDS
PATH = TOUCH | STAYS
"""Types decided by every tick of their life, not by the last one alone."""

WINS_ON_EQUALITY = frozenset(
    {
        ContractType.CALLE,
        ContractType.PUTE,
        ContractType.ONETOUCH,
        ContractType.UPORDOWN,
        ContractType.EXPIRYRANGEE,
        ContractType.EXPIRYMISSE,
    }
)
"""Types that win when the deciding quote equals the level it is compared with."""

PREDICTIONS = {
    ContractType.DIGITMATCH: range(10),
    ContractType.DIGITDIFF: range(10),
    ContractType.DIGITOVER: range(9),
    ContractType.DIGITUNDER: range(1, 10),
}
"""Digits a prediction may name."""
