"""Reading typed values out of a decoded frame: strict about type and finiteness, indifferent to extra fields.

Deriv sends money and prices as JSON numbers in most calls and as strings in ``proposal_open_contract``; both forms
are accepted wherever an amount is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from xtitan_core.deriv.errors import FrameError

Frame = Mapping[str, Any]

_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?", re.ASCII)


def to_cents(amount: object) -> int:
    """An amount of money in whole cents, exactly.

    Args:
        amount: a JSON number, or Deriv's text form such as ``"18.83"``.

    Raises:
        FrameError: when it is not a finite number or has a fraction of a cent.
    """
    cents = to_decimal(amount) * 100
    whole = int(cents)
    if cents != whole:
        raise FrameError(f"{amount!r} has more than two decimals")
    return whole


def from_cents(cents: int) -> float | int:
    """Cents as the JSON number Deriv expects; never more than two decimals (35 -> 0.35, 1000 -> 10)."""
    return cents // 100 if cents % 100 == 0 else cents / 100


def to_decimal(value: object) -> Decimal:
    """A finite decimal from a JSON number or Deriv's text form.

    Raises:
        FrameError: for anything else, NaN, infinity, or text with blanks, exponents or underscores.
    """
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise FrameError(f"{value[:40]!r} is not a decimal number")
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FrameError(f"expected a number, got {type(value).__name__}")
    if not math.isfinite(value):
        raise FrameError(f"expected a finite number, got {value!r}")
    return Decimal(repr(value))  # the shortest text that reads back as this float: what the venue wrote


def inner(frame: Frame, name: str) -> Frame:
    """The object ``frame[name]``.

    Raises:
        FrameError: when it is missing or not an object.
    """
    value = frame.get(name)
    if not isinstance(value, dict):
        raise FrameError(f"{name} is {'missing' if value is None else 'not an object'}")
    return value


def rows(frame: Frame, name: str, list_name: str) -> list[Frame]:
    """The list of objects ``frame[name][list_name]``.

    Raises:
        FrameError: when any part of it has another shape.
    """
    value = inner(frame, name).get(list_name)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise FrameError(f"{name}.{list_name} is not a list of objects")
    return value


def integer(obj: Frame, key: str) -> int:
    """A required integer.

    Raises:
        FrameError: when it is missing or has another type.
    """
    value = obj.get(key)
    if type(value) is not int:
        raise FrameError(f"{key} must be an integer, got {value!r:.40}")
    return value


def text(obj: Frame, key: str) -> str:
    """A required non-empty string.

    Raises:
        FrameError: when it is missing, empty or has another type.
    """
    value = obj.get(key)
    if type(value) is not str or not value:
        raise FrameError(f"{key} must be a text, got {value!r:.40}")
    return value


def number(obj: Frame, key: str) -> float:
    """A required finite number, also in text form.

    Raises:
        FrameError: when it is missing, not finite, or has another type.
    """
    value = obj.get(key)
    if type(value) is float and math.isfinite(value):  # the hot path: a tick's quote
        return value
    try:
        return float(to_decimal(value))
    except FrameError as error:
        raise FrameError(f"{key}: {error}") from None


def cents(obj: Frame, key: str) -> int:
    """A required amount in cents.

    Raises:
        FrameError: when it is missing or not an exact amount.
    """
    try:
        return to_cents(obj.get(key))
    except FrameError as error:
        raise FrameError(f"{key}: {error}") from None


def flag(obj: Frame, key: str) -> bool:
    """An optional 0/1 integer; absent means False.

    Raises:
        FrameError: for any other value.
    """
    value = obj.get(key, 0)
    if type(value) is not int or value not in (0, 1):
        raise FrameError(f"{key} must be 0 or 1, got {value!r:.40}")
    return value == 1


def optional_integer(obj: Frame, key: str) -> int | None:
    """An integer, or None when absent or null."""
    return None if obj.get(key) is None else integer(obj, key)


def optional_text(obj: Frame, key: str) -> str | None:
    """A string, or None when absent, null or empty."""
    return None if obj.get(key) in (None, "") else text(obj, key)


def optional_number(obj: Frame, key: str) -> float | None:
    """A finite number, or None when absent or null."""
    return None if obj.get(key) is None else number(obj, key)


def optional_cents(obj: Frame, key: str) -> int | None:
    """An amount in cents, or None when absent or null."""
    return None if obj.get(key) is None else cents(obj, key)
