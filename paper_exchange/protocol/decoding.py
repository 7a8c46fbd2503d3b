"""From a text frame to a request: strict JSON of bounded depth and size of numbers."""

from __future__ import annotations

import json
import math
import re
from typing import Any

MAX_REQUEST_DEPTH = 64
"""Deepest nesting of a request. The calls need three levels; the rest is for ``passthrough``."""

_KEY = re.compile(r"[A-Za-z0-9_-]{1,50}", re.ASCII)
_LONGEST = len(str(-(2**63)))
"""Characters of the longest integer that fits 64 bits."""


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value


def _integer(text: str) -> int | float:
    """An integer of up to 64 bits; a larger one is a number but no integer."""
    if len(text) <= _LONGEST and -(2**63) <= (value := int(text)) < 2**63:
        return value
    return _float(text)


_DECODER = json.JSONDecoder(parse_constant=_constant, parse_float=_float, parse_int=_integer)


def decode_request(text: str) -> dict[str, Any] | None:
    """A request, or None for anything but one JSON object of sane depth and finite numbers.

    Of a member named twice the last counts.
    """
    try:
        request = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(request, dict):
        return None
    # Counting brackets is an upper bound that nearly every request stays under.
    if text.count("{") + text.count("[") > MAX_REQUEST_DEPTH and _too_deep(request):
        return None
    return request


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_REQUEST_DEPTH):
        level = [
            inner
            for item in level
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def sane(request: dict[str, Any]) -> bool:
    """True when every member has a plain name and no text among them holds what cannot be printed."""
    plain = _KEY.fullmatch
    for name, value in request.items():
        if not plain(name) or (type(value) is str and not value.isprintable()):
            return False
    return True
