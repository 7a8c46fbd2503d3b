"""Request schemas, closed: unknown members are refused, in Deriv's wording.

The table states what each call accepts on the new API; the tests hold it against Deriv's published schemas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
        enum: allowed values, empty for any.
        pattern: regular expression a string has to match.
        minimum, maximum: bounds of a number.
        items: what an array holds.
        members: what an object holds, None for anything.
        required: members an object needs.
        otherwise: a second form the value may have instead.
    """

    kind: str
    enum: tuple[Any, ...] = ()
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    items: Field | None = None
    members: Mapping[str, Field] | None = None
    required: tuple[str, ...] = ()
    otherwise: Field | None = None

    def problem(self, value: Any) -> str | None:
        """Why the value is refused, None when it is fine."""
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
        if self.pattern and not re.search(self.pattern, value, re.ASCII):
            return f"String does not match {self.pattern}."
        if self.minimum is not None and value < self.minimum:
            return f"{value} < minimum({self.minimum})"
        if self.maximum is not None and value > self.maximum:
            return f"{value} > maximum({self.maximum})"
        if self.items is not None:
            return next((p for item in value if (p := self.items.problem(item))), None)
        if self.members is not None:
            where, text = _first_problem(value, self.members, self.required)
            return f"{where}: {text}" if text else None
        return None


@dataclass(frozen=True, slots=True)
class Request:
    """One call.

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


def validate(call: Request, request: Mapping[str, Any]) -> None:
    """Hold a request against its call's schema.

    Raises:
        CallError: InputValidationFailed, naming the member and why.
    """
    where, text = _first_problem(request, call.every, call.required)
    if not text:
        return
    if where:
        raise CallError("InputValidationFailed", f"Input validation failed: {where}", {where: text})
    raise CallError("InputValidationFailed", f"Input validation failed: {text.rstrip('.')}", {"_root": text})


def _first_problem(
    value: Mapping[str, Any], fields: Mapping[str, Field], required: tuple[str, ...]
) -> tuple[str, str | None]:
    for name in required:
        if name not in value:
            return name, "Missing property."
    unknown = sorted(name for name in value if name not in fields)
    if unknown:
        return "", f"Properties not allowed: {', '.join(unknown)}."
    for name, item in value.items():
        text = fields[name].problem(item)
        if text:
            return name, text
    return "", None


ONE = Field("integer", enum=(1,))
_SYMBOL = Field("string", pattern=r"^\w{2,30}$")
_BARRIER = Field("string", pattern=r"^(?=.{1,20}$)[+-]?[0-9]+\.?[0-9]*$")
_EPOCH = Field("integer", minimum=0, maximum=9_999_999_999)
_COUNT = Field("integer", minimum=0)
_FLAG = Field("integer", enum=(0, 1))
_DATE = Field("string", pattern=r"^([0-9]{4}-(0?[1-9]|1[012])-(0?[1-9]|[12][0-9]|3[01])|[0-9]{1,10})$")
_CONTRACT_TYPES = """
    HIGHER LOWER MULTUP MULTDOWN UPORDOWN EXPIRYRANGE ONETOUCH CALLE ASIAND EXPIRYRANGEE DIGITDIFF DIGITMATCH
    DIGITOVER PUTE DIGITUNDER NOTOUCH CALL RANGE DIGITODD PUT ASIANU EXPIRYMISSE EXPIRYMISS DIGITEVEN TICKHIGH
    TICKLOW RESETCALL RESETPUT RUNHIGH RUNLOW ACCU VANILLALONGCALL VANILLALONGPUT TURBOSLONG TURBOSSHORT
"""
_CONTRACT_TYPE = Field("string", enum=tuple(_CONTRACT_TYPES.split()))
_CONTRACT_TYPE_LIST = Field("array", items=_CONTRACT_TYPE)
_STREAMS = Field(
    "string",
    enum=("balance", "candles", "cashier_payments", "proposal", "proposal_open_contract", "ticks", "transaction"),
)
GRANULARITIES = (60, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400)
_LIMIT_ORDER = Field("object", members={"stop_loss": Field("number"), "take_profit": Field("number")})
_CONTRACT = {
    "amount": Field("number", minimum=0),
    "barrier": _BARRIER,
    "barrier2": _BARRIER,
    "basis": Field("string", enum=("payout", "stake")),
    "cancellation": Field("string", pattern=r"^\w+$"),
    "contract_type": _CONTRACT_TYPE,
    "currency": Field("string", pattern=r"^[a-zA-Z0-9]{2,20}$"),
    "date_expiry": _EPOCH,
    "duration": Field("integer", minimum=0, maximum=99_999_999),
    "duration_unit": Field("string", enum=("d", "m", "s", "h", "t")),
    "growth_rate": Field("number"),
    "limit_order": _LIMIT_ORDER,
    "multiplier": Field("number", minimum=0),
    "payout_per_point": Field("number"),
    "selected_tick": Field("integer"),
    "underlying_symbol": _SYMBOL,
}
_CONTRACT_NEEDS = ("contract_type", "currency", "underlying_symbol")
_PARAMETERS = Field(
    "object",
    members={
        **_CONTRACT,
        "app_markup_percentage": Field("number"),
        "date_expiry": Field("integer", minimum=1, maximum=9_999_999_999),
    },
    required=_CONTRACT_NEEDS,
)

REQUESTS: dict[str, Request] = {
    "ping": Request({"ping": ONE}, ("ping",)),
    "time": Request({"time": ONE}, ("time",)),
    "active_symbols": Request(
        {"active_symbols": Field("string", enum=("full", "brief")), "contract_type": _CONTRACT_TYPE_LIST},
        ("active_symbols",),
    ),
    "contracts_for": Request({"contracts_for": _SYMBOL}, ("contracts_for",)),
    "trading_times": Request(
        {"trading_times": Field("string", pattern=r"^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|today)$")}, ("trading_times",)
    ),
    "ticks": Request(
        {"ticks": Field("string", pattern=r"^\w{2,30}$", otherwise=Field("array", items=_SYMBOL)), "subscribe": ONE},
        ("ticks",),
    ),
    "ticks_history": Request(
        {
            "ticks_history": _SYMBOL,
            "adjust_start_time": ONE,
            "count": Field("integer"),
            "end": Field("string", pattern=r"^(latest|[0-9]{1,10})$"),
            "granularity": Field("integer", enum=GRANULARITIES),
            "start": _EPOCH,
            "style": Field("string", enum=("candles", "ticks")),
            "subscribe": ONE,
        },
        ("ticks_history", "end"),
    ),
    "proposal": Request({"proposal": ONE, "subscribe": ONE, **_CONTRACT}, ("proposal", *_CONTRACT_NEEDS)),
    "buy": Request(
        {
            "buy": Field("string", pattern=r"^(?:[\w-]{32,128}|1)$"),
            "parameters": _PARAMETERS,
            "price": Field("number", minimum=0),
            "subscribe": ONE,
        },
        ("buy", "price"),
        account=True,
    ),
    "sell": Request({"sell": Field("integer"), "price": Field("number")}, ("sell", "price"), account=True),
    "proposal_open_contract": Request(
        {"proposal_open_contract": ONE, "contract_id": Field("integer"), "subscribe": ONE},
        ("proposal_open_contract",),
        account=True,
    ),
    "portfolio": Request({"portfolio": ONE, "contract_type": _CONTRACT_TYPE_LIST}, ("portfolio",), account=True),
    "profit_table": Request(
        {
            "profit_table": ONE,
            "contract_type": _CONTRACT_TYPE_LIST,
            "date_from": _DATE,
            "date_to": _DATE,
            "description": _FLAG,
            "limit": Field("number", minimum=0, maximum=500),
            "offset": _COUNT,
            "sort": Field("string", enum=("ASC", "DESC")),
        },
        ("profit_table",),
        account=True,
    ),
    "statement": Request(
        {
            "statement": ONE,
            "action_type": Field("string", enum=("buy", "sell", "deposit", "withdrawal")),
            "date_from": _EPOCH,
            "date_to": _EPOCH,
            "description": _FLAG,
            "limit": Field("number", minimum=0, maximum=999),
            "offset": _COUNT,
        },
        ("statement",),
        account=True,
    ),
    "transaction": Request({"transaction": ONE, "subscribe": ONE}, ("transaction", "subscribe"), account=True),
    "balance": Request({"balance": ONE, "subscribe": _FLAG}, ("balance",), account=True),
    "forget": Request({"forget": Field("string", pattern=r"^[\w-]{32,128}$")}, ("forget",)),
    "forget_all": Request(
        {"forget_all": Field("string", enum=_STREAMS.enum, otherwise=Field("array", items=_STREAMS))}, ("forget_all",)
    ),
    "logout": Request(
        {"logout": ONE, "loginid": Field("string", pattern=r"^[A-Za-z]+[0-9]+$")}, ("logout",), account=True
    ),
}
"""Every call the exchange serves, in the order that decides when a request names two."""
