"""Reading typed values out of a decoded frame: strict about type, finiteness and size, indifferent to extra fields.

Deriv sends money and prices as JSON numbers in most calls and as strings in ``proposal_open_contract``; both forms
are accepted wherever an amount is read. Every value that comes out fits what it is used for afterwards (a float, an
array, a column of SQLite, a log line); whatever does not is a ``FrameError``, never another exception.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from xtitan_core.deriv.errors import FrameError

Frame = Mapping[str, Any]

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?", re.ASCII)

MAX_INTEGER = 2**63 - 1
"""What SQLite and int64 arrays hold; Deriv's ids have eleven digits."""
MAX_EPOCH = 9_999_999_999
"""The year 2286."""
MAX_CENTS = 10**15
"""Ten million million units of a currency, either way."""
MAX_NUMBER = 1e18
"""Any other number, either way: as many digits as the text form may have."""
MAX_TEXT = 4_096
"""Characters of a text."""
SHOWN = 40
"""Characters of a refused value that an error repeats."""


def to_cents(amount: object) -> int:
    """An amount of money in whole cents, exactly.

    Args:
        amount: a JSON number, or Deriv's text form such as ``"18.83"``.

    Raises:
        FrameError: when it is not a finite number, has a fraction of a cent, or is beyond ``MAX_CENTS``.
    """
    numerator, denominator = to_decimal(amount).as_integer_ratio()  # exact, whatever the decimal context
    whole, fraction = divmod(numerator * 100, denominator)
    if fraction:
        raise FrameError(f"{_shown(amount)} has more than two decimals")
    if abs(whole) > MAX_CENTS:
        raise FrameError(f"{_shown(amount)} is no possible amount of money")
    return whole


def from_cents(cents: int) -> float | int:
    """Cents as the JSON number Deriv expects; never more than two decimals (35 -> 0.35, 1000 -> 10)."""
    return cents // 100 if cents % 100 == 0 else cents / 100


def to_decimal(value: object) -> Decimal:
    """A finite decimal from a JSON number or Deriv's text form.

    Raises:
        FrameError: for anything else, NaN, infinity, a size beyond ``MAX_NUMBER``, or text with blanks, exponents or
            underscores.
    """
    if isinstance(value, str):
        if not _DECIMAL.fullmatch(value):
            raise FrameError(f"{value[:SHOWN]!r} is not a decimal number")
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FrameError(f"expected a number, got {type(value).__name__}")
    if not abs(value) <= MAX_NUMBER:  # as a comparison: a huge integer cannot become a float
        raise FrameError(f"expected a finite number, got {_shown(value)}")
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


def integer(obj: Frame, key: str, low: int = -MAX_INTEGER, high: int = MAX_INTEGER) -> int:
    """A required integer with low <= value <= high.

    Raises:
        FrameError: when it is missing, has another type or is out of these bounds.
    """
    value = obj.get(key)
    if type(value) is not int:
        raise FrameError(f"{key} must be an integer, got {_shown(value)}")
    if not low <= value <= high:
        raise FrameError(f"{key} must lie between {low} and {high}, got {_shown(value)}")
    return value


def identifier(obj: Frame, key: str) -> int:
    """A required contract or transaction number.

    Raises:
        FrameError: when it is missing, no integer, negative, or too large for the ledger.
    """
    return integer(obj, key, 0)


def epoch(obj: Frame, key: str) -> int:
    """A required time in whole seconds since 1970.

    Raises:
        FrameError: when it is missing, no integer, negative, or beyond ``MAX_EPOCH``.
    """
    return integer(obj, key, 0, MAX_EPOCH)


def text(obj: Frame, key: str) -> str:
    """A required non-empty string.

    Raises:
        FrameError: when it is missing, empty, longer than ``MAX_TEXT``, no proper Unicode, or has another type.
    """
    value = obj.get(key)
    if type(value) is not str or not value:
        raise FrameError(f"{key} must be a text, got {_shown(value)}")
    if len(value) > MAX_TEXT:
        raise FrameError(f"{key} has {len(value)} characters, at most {MAX_TEXT} are read")
    if not value.isascii() and _SURROGATE.search(value):  # JSON can escape one; no file, log or database takes it
        raise FrameError(f"{key} is no proper Unicode: {_shown(value)}")
    return value


def number(obj: Frame, key: str) -> float:
    """A required finite number, also in text form.

    Raises:
        FrameError: when it is missing, not finite, or has another type.
    """
    value = obj.get(key)
    if type(value) is float and -MAX_NUMBER <= value <= MAX_NUMBER:  # the hot path: a tick's quote
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
        raise FrameError(f"{key} must be 0 or 1, got {_shown(value)}")
    return value == 1


def optional_identifier(obj: Frame, key: str) -> int | None:
    """A contract or transaction number, or None when absent or null."""
    return None if obj.get(key) is None else identifier(obj, key)


def optional_epoch(obj: Frame, key: str) -> int | None:
    """A time in whole seconds, or None when absent or null."""
    return None if obj.get(key) is None else epoch(obj, key)


def optional_text(obj: Frame, key: str) -> str | None:
    """A string, or None when absent, null or empty."""
    return None if obj.get(key) in (None, "") else text(obj, key)


def optional_number(obj: Frame, key: str) -> float | None:
    """A finite number, or None when absent or null."""
    return None if obj.get(key) is None else number(obj, key)


def optional_cents(obj: Frame, key: str) -> int | None:
    """An amount in cents, or None when absent or null."""
    return None if obj.get(key) is None else cents(obj, key)


def _shown(value: object) -> str:
    """A refused value for an error's text; of a container only its kind, because it may be nested without end."""
    if isinstance(value, int) and abs(value) > MAX_NUMBER:
        return f"an integer of {value.bit_length()} bits"
    if value is None or isinstance(value, str | int | float):
        return f"{value!r:.{SHOWN}}"
    return f"a {type(value).__name__}"
