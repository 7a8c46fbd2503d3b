"""The catalogue: every fault the exchange can commit, what it does, and which point of the failure model it stands for.

The table in docs/exchange.md is made from this. ``P0`` to ``P30`` are the crash and disconnect points of the runner's
failure model, ``network`` is its list of network faults; docs/exchange.md lists them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from xtitan_core.clock import DAY

Value = int | float | str


class Point(StrEnum):
    """Where in the exchange a fault acts; its occasions are counted there."""

    REQUEST = "request"  # a call that arrives, before the venue looks at it
    ANSWER = "answer"  # the answer to a call that the venue has acted on
    FRAME = "frame"  # any frame that goes out
    FEED = "feed"  # a tick of a symbol, before its subscribers are sent it
    BOOKS = "books"  # a reading of the books, or a settlement
    TIME = "time"  # a moment of venue time, or a call when one is named
    LOGIN = "login"  # a one-time password asked for, or a socket opened with one


class FaultName(StrEnum):
    """Names a script uses."""

    REQUEST_LOST = "request_lost"
    REQUEST_REPEATED = "request_repeated"
    DROP_BEFORE = "drop_before"
    EXECUTED_LATE = "executed_late"
    RATE_LIMIT = "rate_limit"
    PRICE_MOVED = "price_moved"
    MARKET_CLOSED = "market_closed"
    REFUSED = "refused"
    ANSWER_HELD = "answer_held"
    ANSWER_LOST = "answer_lost"
    ANSWER_LATE = "answer_late"
    ANSWER_REPEATED = "answer_repeated"
    ANSWER_REORDERED = "answer_reordered"
    ANSWER_ERROR = "answer_error"
    ANSWER_MISLABELLED = "answer_mislabelled"
    ANSWER_AFTER_SETTLEMENT = "answer_after_settlement"
    REJECTION_LOST = "rejection_lost"
    DROP_AFTER = "drop_after"
    DROP_ANSWERED = "drop_answered"
    FRAME_LOST = "frame_lost"
    FRAME_LATE = "frame_late"
    FRAME_REPEATED = "frame_repeated"
    FRAME_REORDERED = "frame_reordered"
    GARBLED = "garbled"
    NULL_FIELDS = "null_fields"
    DROP = "drop"
    MUTE = "mute"
    DEAF = "deaf"
    HALF_OPEN = "half_open"
    BAD_BYTES = "bad_bytes"
    OTP_REFUSED = "otp_refused"
    UPGRADE_REFUSED = "upgrade_refused"
    ACCEPT_THEN_CLOSE = "accept_then_close"
    STATEMENT_LAG = "statement_lag"
    STATEMENT_SHIFT = "statement_shift"
    PORTFOLIO_LAG = "portfolio_lag"
    VOIDED = "voided"
    PAYOUT_DIFFERS = "payout_differs"
    FOREIGN_BUY = "foreign_buy"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    ACCOUNT_RESET = "account_reset"
    TICK_GAP = "tick_gap"
    TICK_REPEATED = "tick_repeated"
    TICK_STALLED = "tick_stalled"
    TICK_FROZEN = "tick_frozen"
    TICK_DISORDERED = "tick_disordered"
    TICK_WILD = "tick_wild"
    PIP_CHANGED = "pip_changed"
    CLOCK_SKEW = "clock_skew"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a fault.

    Attributes:
        default: the value where a script gives none; the parameter has its type.
        meaning: for the table.
        choices: what it may be; empty for any number.
        low, high: bounds of a number.
        drawn: what a random mix chooses from; empty for the default alone.
    """

    default: Value
    meaning: str
    choices: tuple[Value, ...] = ()
    low: float = 0
    high: float = 1e12
    drawn: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault of the catalogue.

    Attributes:
        what: what happens, one line.
        where: points of the failure model.
        call: the call it acts on unless a script names another; empty for any.
        parameters: beside those every fault takes.
        lasting: True when ``times`` is 0 by default, so that it happens on every occasion.
    """

    point: Point
    what: str
    where: tuple[str, ...]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    call: str = ""
    lasting: bool = False


GARBLINGS = (
    "truncated",
    "nan",
    "infinite",
    "huge",
    "deep",
    "duplicate_key",
    "missing",
    "extra",
    "renamed",
    "string",
    "unknown_type",
    "error_with_data",
)
BYTES = ("reserved_opcode", "masked", "bad_utf8", "bad_close", "oversized", "announced", "stalled")

_CODE = Parameter(
    1006, "close code; 1006 cuts the line without one", low=1000, high=4999, drawn=(1000, 1001, 1006, 1011)
)
_LATE = Parameter(30, "venue seconds", low=1, high=200, drawn=(1, 5, 30, 120, 200))
_LAG = Parameter(30, "venue seconds the reading is behind", low=1, high=DAY, drawn=(5, 30, 60))
_SPAN = Parameter(10, "venue seconds it lasts", low=1, high=DAY, drawn=(3, 10, 60))
_AMOUNT = Parameter(100.0, "USD", low=0.01, high=1e6)
_STATUS = Parameter(503, "HTTP status", choices=(401, 429, 500, 502, 503), drawn=(401, 429, 500, 503))

_R, _A, _F, _T, _B = Point.REQUEST, Point.ANSWER, Point.FRAME, Point.TIME, Point.BOOKS
_FEED, _LOGIN = Point.FEED, Point.LOGIN
_N = FaultName

CATALOGUE: Mapping[FaultName, Entry] = {
    _N.REQUEST_LOST: Entry(_R, "the call never reaches the venue", ("P3", "P5", "P7"), call="buy"),
    _N.REQUEST_REPEATED: Entry(_R, "the call reaches the venue twice", ("P28", "network"), call="buy"),
    _N.DROP_BEFORE: Entry(
        _R, "the line drops before the venue sees the call", ("P5", "P6", "P7"), {"code": _CODE}, call="buy"
    ),
    _N.EXECUTED_LATE: Entry(
        _R,
        "the venue acts on the call so much later, even when the socket is gone by then",
        ("P8", "P20"),
        {"seconds": _LATE},
        call="buy",
    ),
    _N.RATE_LIMIT: Entry(_R, "refused with RateLimit", ("P26",), call="buy"),
    _N.PRICE_MOVED: Entry(_R, "refused with PriceMoved", ("P9",), call="buy"),
    _N.MARKET_CLOSED: Entry(_R, "refused with MarketIsClosed", ("P26",), call="buy"),
    _N.REFUSED: Entry(
        _R,
        "refused with a code of your choice; nothing is booked",
        ("P9", "P10"),
        {"code": Parameter("ContractBuyValidationError", "the error code")},
        call="buy",
    ),
    _N.ANSWER_HELD: Entry(
        _A,
        "acted on, but neither the answer nor anything later is sent on that socket until it closes",
        ("P7", "P11"),
        call="buy",
    ),
    _N.ANSWER_LOST: Entry(_A, "acted on, the answer never comes; the socket goes on", ("P3", "P11"), call="buy"),
    _N.ANSWER_LATE: Entry(_A, "the answer comes so much later", ("P3", "P19", "P20"), {"seconds": _LATE}, call="buy"),
    _N.ANSWER_REPEATED: Entry(_A, "the answer comes twice", ("P18", "network"), call="buy"),
    _N.ANSWER_REORDERED: Entry(
        _A, "the answer comes after the next frame of that socket", ("P19", "network"), call="buy"
    ),
    _N.ANSWER_ERROR: Entry(
        _A,
        "acted on, yet answered with an error",
        ("P10",),
        {
            "code": Parameter(
                "Timeout", "the error code", drawn=("Timeout", "CallError", "WrongResponse", "InternalServerError")
            )
        },
        call="buy",
    ),
    _N.ANSWER_MISLABELLED: Entry(
        _A,
        "the answer carries the req_id of another call",
        ("P20",),
        {"off": Parameter(1, "added to req_id", low=-1e6, high=1e6)},
        call="buy",
    ),
    _N.ANSWER_AFTER_SETTLEMENT: Entry(
        _A, "a purchase is answered only once its contract is settled", ("P19",), call="buy"
    ),
    _N.REJECTION_LOST: Entry(_A, "refused, and the refusal never comes", ("P9",), call="buy"),
    _N.DROP_AFTER: Entry(
        _A,
        "acted on, and the line drops instead of the answer",
        ("P8", "P11", "P12", "P15"),
        {"code": _CODE},
        call="buy",
    ),
    _N.DROP_ANSWERED: Entry(_A, "answered, and the line drops at once", ("P14", "P15"), {"code": _CODE}, call="buy"),
    _N.FRAME_LOST: Entry(_F, "a frame is lost", ("P15", "P16"), call="transaction"),
    _N.FRAME_LATE: Entry(_F, "a frame comes so much later", ("P16", "P18"), {"seconds": _LATE}, call="transaction"),
    _N.FRAME_REPEATED: Entry(_F, "a frame comes twice", ("P18", "network"), call="transaction"),
    _N.FRAME_REORDERED: Entry(
        _F, "a frame comes after the next one of that socket", ("P19", "network"), call="transaction"
    ),
    _N.GARBLED: Entry(
        _F,
        "a frame is damaged: text that is no JSON, or JSON that is no answer",
        ("network",),
        {"how": Parameter("truncated", "one of " + ", ".join(GARBLINGS), choices=GARBLINGS, drawn=GARBLINGS)},
    ),
    _N.NULL_FIELDS: Entry(
        _F, "every optional field of the contract's frame is null", ("network",), call="proposal_open_contract"
    ),
    _N.DROP: Entry(_T, "every socket of the account drops", ("P7", "P14", "P15"), {"code": _CODE}),
    _N.MUTE: Entry(_T, "half-open: nothing of the venue arrives any more, not even pongs", ("P7", "P11", "network")),
    _N.DEAF: Entry(_T, "half-open: nothing reaches the venue any more, not even pings", ("P7", "network")),
    _N.HALF_OPEN: Entry(_T, "half-open both ways: the line is dead and nobody is told", ("P7", "network")),
    _N.BAD_BYTES: Entry(
        _T,
        "bytes that break the websocket protocol",
        ("network",),
        {"how": Parameter("reserved_opcode", "one of " + ", ".join(BYTES), choices=BYTES, drawn=BYTES)},
    ),
    _N.OTP_REFUSED: Entry(_LOGIN, "no one-time password", ("network",), {"status": _STATUS}),
    _N.UPGRADE_REFUSED: Entry(
        _LOGIN, "the password is used up, and the socket refused", ("network",), {"status": _STATUS}
    ),
    _N.ACCEPT_THEN_CLOSE: Entry(_LOGIN, "a socket is accepted and closed at once", ("network",), {"code": _CODE}),
    _N.STATEMENT_LAG: Entry(_B, "the statement does not show the latest rows yet", ("P8", "P25"), {"seconds": _LAG}),
    _N.STATEMENT_SHIFT: Entry(
        _B,
        "between two pages of the statement, rows come in on top (or, negative, go missing)",
        ("P25",),
        {"rows": Parameter(1, "how many", low=-100, high=100, drawn=(-2, -1, 1, 2))},
    ),
    _N.PORTFOLIO_LAG: Entry(
        _B, "portfolio and profit table show the account as it was", ("P8", "P25"), {"seconds": _LAG}
    ),
    _N.VOIDED: Entry(_B, "a contract is refunded instead of settled", ("P27",)),
    _N.PAYOUT_DIFFERS: Entry(
        _B,
        "a won contract pays something else than was quoted",
        ("P27",),
        {"factor": Parameter(0.5, "of the payout", high=1)},
    ),
    _N.FOREIGN_BUY: Entry(
        _T,
        "somebody else buys a contract on the account",
        ("P22", "P29"),
        {
            "stake": Parameter(10.0, "USD", low=0.35, high=10_000),
            "symbol": Parameter("R_100", "what is bought, CALL over 5 ticks"),
        },
    ),
    _N.DEPOSIT: Entry(_T, "money comes in", ("P24",), {"amount": _AMOUNT}),
    _N.WITHDRAWAL: Entry(_T, "money goes out, as far as there is any", ("P24",), {"amount": _AMOUNT}),
    _N.ACCOUNT_RESET: Entry(_T, "the account's cash is set back to 10,000.00", ("P24",)),
    _N.TICK_GAP: Entry(_FEED, "ticks are not sent", ("network",), {"seconds": _SPAN}),
    _N.TICK_REPEATED: Entry(_FEED, "a tick is sent twice", ("network",)),
    _N.TICK_STALLED: Entry(_FEED, "ticks stop, then come all at once", ("network",), {"seconds": _SPAN}),
    _N.TICK_FROZEN: Entry(_FEED, "ticks go on with the same quote", ("network",), {"seconds": _SPAN}),
    _N.TICK_DISORDERED: Entry(_FEED, "a tick comes after the next one", ("network",)),
    _N.TICK_WILD: Entry(
        _FEED,
        "a tick's quote is absurd",
        ("network",),
        {
            "factor": Parameter(
                100.0, "times the quote; 0 and negative ones too", low=-1e9, high=1e9, drawn=(100.0, 0.0, -1.0)
            )
        },
    ),
    _N.PIP_CHANGED: Entry(
        _FEED,
        "ticks come with another number of decimals",
        ("network",),
        {"decimals": Parameter(1, "how many", high=8), "seconds": _SPAN},
    ),
    _N.CLOCK_SKEW: Entry(
        _F,
        "the venue's `time` is off",
        ("P23",),
        {"seconds": Parameter(3, "how much", low=-(10**7), high=10**7, drawn=(-DAY, -3, 1, 3, 60))},
        call="time",
        lasting=True,
    ),
}
"""Every fault. Those of the feed change only what subscribers are sent: contracts and history go by the true ticks."""


def listing() -> list[dict[str, object]]:
    """The catalogue as JSON: name, point, what it does, where it comes from, its parameters and their defaults."""
    return [
        {
            "fault": str(name),
            "point": str(entry.point),
            "what": entry.what,
            "where": list(entry.where),
            "call": entry.call or "any",
            "parameters": {key: parameter.default for key, parameter in entry.parameters.items()},
        }
        for name, entry in CATALOGUE.items()
    ]


NOT_OURS: Mapping[str, str] = {
    "P0": "nothing was written; a crash of the runner",
    "P1": "inside the runner's commit",
    "P2": "in the runner, before anything was sent",
    "P4": "in the runner, before anything was sent",
    "P13": "inside the runner's commit",
    "P17": "in the runner's ledger",
    "P21": "a second runner",
    "P30": "the runner's disk",
}
"""Points of the failure model at which the venue does nothing wrong."""
