"""Closed request schemas: what each member may hold, and why a request is refused, in Deriv's wording."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from paper_exchange.errors import CallError

_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "object": (dict,),
    "array": (list,),
}
_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array"}


@dataclass(frozen=True, slots=True)
class Field:
    """What one member may hold.

    Attributes:
        kind: JSON type.
        null: True when null will do as well.
        enum: allowed values, empty for any.
        pattern: regular expression that the whole string has to match.
        minimum, maximum: bounds of a number.
        items: what an array holds.
        members: what an object holds, None for anything.
        required: members an object needs.
        otherwise: a second form the value may have instead.
    """

    kind: str
    null: bool = False
    enum: tuple[Any, ...] = ()
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    items: Field | None = None
    members: Mapping[str, Field] | None = None
    required: tuple[str, ...] = ()
    otherwise: Field | None = None
    fits: Callable[[Any], bool] = field(init=False, repr=False, compare=False)
    """Quick test: True for a good value; where it is False, ``problem`` decides."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fits", _quick(self))

    def problem(self, value: Any) -> str | None:
        """Why the value is refused, None when it is fine."""
        if value is None and self.null:
            return None
        if self.otherwise is not None and self._kind_problem(value):
            return self.otherwise.problem(value)
        return self._kind_problem(value) or self._value_problem(value)

    def _kind_problem(self, value: Any) -> str | None:
        if isinstance(value, _TYPES[self.kind]) and not isinstance(value, bool):
            return None
        return f"Expected {self.kind} - got {_NAMES.get(type(value), 'null')}."

    def _value_problem(self, value: Any) -> str | None:
        if self.enum and value not in self.enum:
            return f"Not in enum list: {', '.join(map(str, self.enum))}."
        # The whole string: JSON Schema's "$" is the very end, Python's also fits before a last line break.
        if self.pattern and not re.fullmatch(self.pattern, value, re.ASCII):
            return f"String does not match {self.pattern}."
        if self.minimum is not None and value < self.minimum:
            return f"{value} < minimum({self.minimum})"
        if self.maximum is not None and value > self.maximum:
            return f"{value} > maximum({self.maximum})"
        if self.items is not None:
            return next((p for item in value if (p := self.items.problem(item))), None)
        if self.members is not None:
            return next((f"{w}: {t}" if w else t for w, t in _problems(value, self.members, self.required)), None)
        return None


@dataclass(frozen=True, slots=True)
class RequestSchema:
    """What the requests of one call hold.

    Attributes:
        fields: members it accepts besides ``passthrough`` and ``req_id``.
        required: members it needs.
        account: True when only an account socket serves it.
    """

    fields: Mapping[str, Field]
    required: tuple[str, ...]
    account: bool = False
    every: Mapping[str, Field] = field(init=False)

    def __post_init__(self) -> None:
        common = {"passthrough": Field("object"), "req_id": Field("integer")}
        object.__setattr__(self, "every", {**self.fields, **common})


def integer(value: Any) -> bool:
    """True for a JSON integer; a boolean is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def validate(call: RequestSchema, request: Mapping[str, Any]) -> None:
    """Check a request against its call's schema.

    Raises:
        CallError: InputValidationFailed, naming every member that is wrong and why.
    """
    if _fit(request, call.every, call.required):
        return
    problems = dict(_problems(request, call.every, call.required))
    if problems:
        named = ", ".join(where or text.rstrip(".") for where, text in problems.items())
        details = {where or "_root": text for where, text in problems.items()}
        raise CallError("InputValidationFailed", f"Input validation failed: {named}", details)


def _fit(value: Mapping[str, Any], fields: Mapping[str, Field], required: tuple[str, ...]) -> bool:
    for name, item in value.items():
        held = fields.get(name)
        if held is None or not held.fits(item):
            return False
    return all(name in value for name in required)


def _quick(held: Field) -> Callable[[Any], bool]:
    """A test of one field's commonest form, without a description of what is wrong."""
    types = _TYPES[held.kind]
    bounded = held.minimum is not None or held.maximum is not None
    if sum(map(bool, (held.enum, held.pattern, bounded, held.items, held.members))) > 1:
        return lambda value: False
    if held.members is not None:
        members, required = held.members, held.required
        return lambda value: type(value) is dict and _fit(value, members, required)
    if held.items is not None:
        fits = held.items.fits
        return lambda value: type(value) is list and all(map(fits, value))
    if held.pattern:
        matches = re.compile(held.pattern, re.ASCII).fullmatch
        return lambda value: type(value) is str and matches(value) is not None
    if held.enum:
        allowed = frozenset(held.enum)
        return lambda value: type(value) in types and value in allowed
    if bounded:
        low = -math.inf if held.minimum is None else held.minimum
        high = math.inf if held.maximum is None else held.maximum
        return lambda value: type(value) in types and low <= value <= high
    return lambda value: type(value) in types


def _problems(
    value: Mapping[str, Any], fields: Mapping[str, Field], required: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """Every problem as ``(member, text)``; members that may not be there come as one, under no name."""
    for name in required:
        if name not in value:
            yield name, "Missing property."
    for name, item in value.items():
        if name in fields and (text := fields[name].problem(item)):
            yield name, text
    unknown = sorted(name for name in value if name not in fields)
    if unknown:
        yield "", f"Properties not allowed: {', '.join(unknown)}."
