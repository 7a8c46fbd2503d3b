"""A quick yes for a JSON value that satisfies a schema.

jsonschema takes a quarter of a millisecond for a frame, and nearly every frame is fine. A schema is turned once into
functions that say yes to most of what it allows. Where they say no, or know a keyword too little, jsonschema decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

Check = Callable[[Any], bool]
"""True: the value satisfies the schema. False: it may or may not."""

_TYPES: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "object": (dict,),
    "array": (list,),
}
_EXACT = (str, int, bool, type(None))
"""Types of which equal values of one type are the same JSON value."""


def quick_check(schema: Any, keywords: Container[str]) -> Check:
    """A quick test for a schema.

    Args:
        schema: a valid JSON schema.
        keywords: every keyword that its draft gives a meaning; the others are remarks.
    """
    return _Compiler(schema, keywords).check(schema)


class _Compiler:
    """Turns the parts of one schema into tests."""

    def __init__(self, root: Any, keywords: Container[str]) -> None:
        self._root, self._keywords = root, keywords
        self._followed: dict[str, Check] = {}

    def check(self, schema: Any) -> Check:
        """The test for one part."""
        if not isinstance(schema, dict):
            return _perhaps
        if "$ref" in schema:  # in the drafts of Deriv's schemas, what stands beside a reference does not count
            return self._reference(schema["$ref"])
        if any(name in self._keywords and name not in _MET for name in schema):
            return _perhaps
        types = schema.get("type", list(_TYPES))
        kinds = {kind for name in ([types] if isinstance(types, str) else types) for kind in _TYPES[name]}
        tests: dict[type, Check] = {kind: self._of_kind(kind, schema) for kind in kinds}

        def check(value: Any) -> bool:
            test = tests.get(type(value))
            return test is not None and test(value)

        return check

    def _reference(self, target: str) -> Check:
        known = self._followed.get(target)
        if known is not None:
            return known
        self._followed[target] = lambda value: found(value)  # a schema may refer to itself
        part = self._root
        for name in target.removeprefix("#/").split("/") if target.startswith("#/") else ("",):
            part = part.get(name) if isinstance(part, dict) else None
        found = self.check(part)
        return found

    def _of_kind(self, kind: type, schema: Mapping[str, Any]) -> Check:
        """The test of values of one type: all that its keywords ask of them."""
        tests = [make(self, schema) for name, (kinds, make) in _MAKERS.items() if name in schema and kind in kinds]
        if not tests:
            return _surely
        if len(tests) == 1:
            return tests[0]
        return lambda value: all(test(value) for test in tests)

    def members(self, schema: Mapping[str, Any]) -> Check:
        """What the members of an object hold, and which may be there."""
        named = {name: self.check(part) for name, part in schema.get("properties", {}).items()}
        others = schema.get("additionalProperties", True)
        rest = (_surely if others else _perhaps) if isinstance(others, bool) else self.check(others)
        return lambda value: all(named.get(name, rest)(item) for name, item in value.items())

    def items(self, schema: Mapping[str, Any]) -> Check:
        """What an array holds."""
        test = self.check(schema["items"])
        return lambda value: all(map(test, value))


def _surely(value: Any) -> bool:
    return True


def _perhaps(value: Any) -> bool:
    return False


def _required(_: _Compiler, schema: Mapping[str, Any]) -> Check:
    names: Iterable[str] = schema["required"]
    return lambda value: all(name in value for name in names)


def _enum(_: _Compiler, schema: Mapping[str, Any]) -> Check:
    allowed = {(type(value), value) for value in schema["enum"] if type(value) in _EXACT}
    return lambda value: type(value) in _EXACT and (type(value), value) in allowed


def _pattern(_: _Compiler, schema: Mapping[str, Any]) -> Check:
    search = re.compile(schema["pattern"]).search
    return lambda value: search(value) is not None


def _bounds(least: str, most: str, measure: Callable[[Any], Any]) -> Callable[[_Compiler, Mapping[str, Any]], Check]:
    def make(_: _Compiler, schema: Mapping[str, Any]) -> Check:
        low, high = schema.get(least, -math.inf), schema.get(most, math.inf)
        return lambda value: bool(low <= measure(value) <= high)

    return make


_KINDS = tuple({kind for kinds in _TYPES.values() for kind in kinds})
_VALUE, _LENGTH, _COUNT = (
    _bounds("minimum", "maximum", lambda value: value),
    _bounds("minLength", "maxLength", len),
    _bounds("minItems", "maxItems", len),
)
_MAKERS: dict[str, tuple[tuple[type, ...], Callable[[_Compiler, Mapping[str, Any]], Check]]] = {
    "enum": (_KINDS, _enum),
    "pattern": ((str,), _pattern),
    "minimum": ((int, float), _VALUE),
    "maximum": ((int, float), _VALUE),
    "minLength": ((str,), _LENGTH),
    "maxLength": ((str,), _LENGTH),
    "minItems": ((list,), _COUNT),
    "maxItems": ((list,), _COUNT),
    "items": ((list,), _Compiler.items),
    "required": ((dict,), _required),
    "properties": ((dict,), _Compiler.members),
    "additionalProperties": ((dict,), _Compiler.members),
}
"""By keyword: the types it speaks of, and what makes its test."""

_MET = frozenset({"type", "format", "definitions", *_MAKERS})
"""Keywords that are met: the types by the choice of the tests; a format is a remark to jsonschema as we call it."""
