"""Scripted faults: which fault, when it happens, and to whom.

Written as ``NAME[:key=value,...]``, or as a JSON object ``{"fault": NAME, "key": value, ...}``; a file has one such
object on each line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paper_exchange.errors import SetupError
from paper_exchange.faults.catalogue import CATALOGUE, Entry, FaultName, Parameter, Point, Value

WHEN: Mapping[str, str] = {
    "nth": "the how-many-th occasion from now on, 1 for the next (default 1)",
    "times": "on how many occasions in a row, 0 for all (default 1)",
    "at": "not before this epoch",
    "call": "only on this call, or any; for frames, only those of this msg_type",
    "account": "only on this account",
    "symbol": "only on this symbol",
}
"""Keys that every fault takes beside its own."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One scripted fault.

    Attributes:
        nth: the occasion it starts at, 1 for the next.
        times: on how many occasions in a row; 0 for every one.
        at: not before this epoch; None for at once.
        call: the call, or for frames the ``msg_type``, it acts on; empty for any.
        account, symbol: of the occasions that count; empty for any.
        values: its own parameters, complete.
    """

    name: FaultName
    nth: int = 1
    times: int = 1
    at: int | None = None
    call: str = ""
    account: str = ""
    symbol: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        return CATALOGUE[self.name]

    @property
    def point(self) -> Point:
        """Where its occasions are counted; a fault of a time counts calls when it names one."""
        point = self.entry.point
        return Point.REQUEST if point is Point.TIME and self.call else point

    def number(self, key: str) -> int | float:
        """A numeric parameter."""
        value = self.values[key]
        assert not isinstance(value, str)
        return value

    def seconds(self) -> int:
        """The parameter ``seconds``."""
        return int(self.number("seconds"))

    def as_script(self) -> dict[str, Any]:
        """The object a script would have for it, with every default written out."""
        when = {"nth": self.nth, "times": self.times, "at": self.at, "call": self.call}
        whose = {"account": self.account, "symbol": self.symbol}
        given = {key: value for key, value in {**when, **whose}.items() if value not in (None, "")}
        return {"fault": str(self.name), **given, **self.values}


def fault(name: str, **keys: Any) -> Fault:
    """A fault from its name and the keys a script gives it.

    Raises:
        SetupError: for a fault, key or value the exchange does not know, naming what it does know.
    """
    try:
        known = FaultName(name)
    except ValueError:
        raise SetupError(f"unknown fault {name!r}; choose one of {', '.join(FaultName)}") from None
    entry = CATALOGUE[known]
    unknown = sorted(set(keys) - set(entry.parameters) - set(WHEN))
    if unknown:
        allowed = ", ".join([*entry.parameters, *WHEN])
        raise SetupError(f"fault {name} takes no {unknown[0]!r}; choose from {allowed}")
    values = {
        key: _value(name, key, parameter, keys[key]) if key in keys else parameter.default
        for key, parameter in entry.parameters.items()
    }
    at = keys.get("at")
    return Fault(
        known,
        nth=_count(name, "nth", keys.get("nth", 1), least=1),
        times=_count(name, "times", keys.get("times", 0 if entry.lasting else 1), least=0),
        at=None if at is None else _count(name, "at", at, least=0),
        call="" if keys.get("call") == "any" else _text(name, "call", keys.get("call", entry.call)),
        account=_text(name, "account", keys.get("account", "")),
        # A fault with a parameter ``symbol`` is about that symbol; its occasions have none.
        symbol="" if "symbol" in entry.parameters else _text(name, "symbol", keys.get("symbol", "")),
        values=values,
    )


def parse(text: str) -> Fault:
    """A fault as the command line names it.

    Raises:
        SetupError: when it is not ``NAME[:key=value,...]``.
    """
    name, _, rest = text.partition(":")
    keys: dict[str, Any] = {}
    for item in rest.split(",") if rest else []:
        key, equals, value = item.partition("=")
        if not equals or not key or key in keys:
            raise SetupError(f"fault {text!r} is not NAME[:key=value,...]; write for example answer_held:nth=2")
        keys[key] = _plain(value)
    return fault(name, **keys)


def from_object(entry: object) -> Fault:
    """A fault as JSON names it.

    Raises:
        SetupError: when it is no object with ``fault``, or what ``fault`` refuses.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("fault"), str):
        raise SetupError('a fault is an object such as {"fault": "answer_held", "nth": 2}; write it so')
    return fault(entry["fault"], **{str(k): v for k, v in entry.items() if k != "fault"})


def read_script(path: Path) -> list[Fault]:
    """The faults of a file with one JSON object a line; empty lines count for nothing.

    Raises:
        SetupError: when it cannot be read, naming the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is no text"
        raise SetupError(f"cannot read {path}: {reason}; name a file of JSON lines") from None
    found = []
    for position, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(from_object(json.loads(line)))
            except (ValueError, RecursionError) as problem:
                reason = str(problem) if isinstance(problem, SetupError) else "it is no JSON; write one object a line"
                raise SetupError(f"{path}, line {position}: {reason}") from None
    return found


def _plain(text: str) -> Value:
    """The text as a number where it is a finite one."""
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if math.isfinite(value) else text
    return text


def _value(name: str, key: str, parameter: Parameter, value: object) -> Value:
    if isinstance(parameter.default, str):
        text = _text(name, key, value)
        if parameter.choices and text not in parameter.choices:
            raise SetupError(f"fault {name}: {key} cannot be {text!r}; choose one of {_listed(parameter)}")
        return text
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SetupError(f"fault {name}: {key} cannot be {value!r}; write a number")
    if isinstance(parameter.default, int) and not float(value).is_integer():
        raise SetupError(f"fault {name}: {key} cannot be {value!r}; write a whole number")
    if parameter.choices and value not in parameter.choices:
        raise SetupError(f"fault {name}: {key} cannot be {value}; choose one of {_listed(parameter)}")
    if not parameter.low <= value <= parameter.high:
        raise SetupError(f"fault {name}: {key} cannot be {value}; stay within {parameter.low:g} to {parameter.high:g}")
    return int(value) if isinstance(parameter.default, int) else float(value)


def _listed(parameter: Parameter) -> str:
    return ", ".join(map(str, parameter.choices))


def _count(name: str, key: str, value: object, *, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 10**12:
        raise SetupError(f"fault {name}: {key} cannot be {value!r}; write a whole number from {least} on")
    return value


def _text(name: str, key: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > 64:
        raise SetupError(f"fault {name}: {key} cannot be {value!r}; write a name")
    return value
