"""Deriv's frames as typed values. Pure: a decoded frame in, a frozen dataclass out.

Each ``from_frame`` takes the whole frame (``{"msg_type": "tick", "tick": {...}, ...}``) and raises ``FrameError``
when a field it needs is missing, of another type, not finite, or of an impossible size. Extra fields are ignored: live
frames carry fields the published schemas do not list. Money is integer cents. The account's records (cash movements,
portfolio, shortcodes) are in ``records``, builders of the requests in ``requests``.

Source: Deriv's published schemas (deriv-com/deriv-api-schemas, 2026-07) and frames recorded in September 2026.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from xtitan_core.deriv import fields
from xtitan_core.deriv.errors import DerivError, FrameError
from xtitan_core.deriv.fields import Frame


def _refuse_constant(name: str) -> float:
    raise FrameError(f"a frame carries {name}, which JSON does not know")


MAX_FRAME_DEPTH = 32
"""Objects and lists inside each other; Deriv's frames have up to seven."""
MAX_DECIMALS = 18
"""Of a quote; Deriv's have up to five."""
MAX_CODE, MAX_MESSAGE = 100, 500
"""Characters of an error's code and text."""

_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def decode(message: str | None) -> dict[str, Any]:
    """One websocket message as a frame.

    Raises:
        FrameError: when it is not a JSON object in a text frame (None stands for a binary one), carries NaN or
            Infinity, or is nested deeper than ``MAX_FRAME_DEPTH``. Nothing else is raised.
    """
    if message is None:
        raise FrameError("a frame that is not text")
    try:
        frame = _DECODER.decode(message)
    except FrameError:
        raise
    except (ValueError, RecursionError):  # also an integer of more digits than Python converts
        raise FrameError("a frame that is not JSON") from None
    if not isinstance(frame, dict):
        raise FrameError(f"a frame that is a JSON {type(frame).__name__}, not an object")
    # What opens less often than that cannot be nested too deep: a tick's frame is not walked.
    if message.count("{") + message.count("[") > MAX_FRAME_DEPTH and _too_deep(frame):
        raise FrameError(f"a frame nested deeper than {MAX_FRAME_DEPTH} levels")
    return frame


def _too_deep(frame: dict[str, Any]) -> bool:
    level: list[Any] = [frame]
    for _ in range(MAX_FRAME_DEPTH):
        inside = [i for c in level for i in (c.values() if isinstance(c, dict) else c)]
        level = [i for i in inside if isinstance(i, dict | list)]
        if not level:
            return False
    return True


def error_of(frame: Frame) -> DerivError | None:
    """The error an error frame carries, or None.

    A code that is not a short printable text becomes ``Unknown``: it is never trimmed into one that means something.
    """
    error = frame.get("error")
    if error is None:
        return None
    call = error_code(call_of(frame), "")
    if not isinstance(error, dict):
        return DerivError("WrongResponse", "an error frame without an error object", call)
    message, details = error.get("message"), error.get("details")
    return DerivError(
        error_code(error.get("code"), "Unknown"),
        printable(message) if isinstance(message, str) else "",
        call,
        details if isinstance(details, dict) else None,
    )


def printable(message: str) -> str:
    """The beginning of a venue's text, fit for a log line, a file and the ledger."""
    return "".join(c if c.isprintable() else " " for c in message[:MAX_MESSAGE])


def error_code(value: object, otherwise: str) -> str:
    """A venue's code as it stands, or ``otherwise`` when it is not a short printable text."""
    return value if isinstance(value, str) and 0 < len(value) <= MAX_CODE and value.isprintable() else otherwise


@dataclass(frozen=True, slots=True)
class Tick:
    """One quote of one symbol. ``pip_size`` is the number of decimals, ``epoch`` venue seconds."""

    symbol: str
    epoch: int
    quote: float
    pip_size: int

    @classmethod
    def from_frame(cls, frame: Frame) -> Self:
        """From a ``tick`` frame.

        Raises:
            FrameError: on any missing field, and on a quote that is not positive.
        """
        tick = fields.inner(frame, "tick")
        quote = fields.number(tick, "quote")
        if quote <= 0:
            raise FrameError(f"quote must be positive, got {quote!r}")
        return cls(
            fields.text(tick, "symbol"),
            fields.epoch(tick, "epoch"),
            quote,
            fields.integer(tick, "pip_size", 0, MAX_DECIMALS),
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """An account's cash."""

    loginid: str
    currency: str
    balance_cents: int

    @classmethod
    def from_frame(cls, frame: Frame) -> Self:
        """From a ``balance`` frame."""
        balance = fields.inner(frame, "balance")
        return cls(fields.text(balance, "loginid"), fields.text(balance, "currency"), fields.cents(balance, "balance"))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A quote: good for one buy on the connection that asked for it.

    Attributes:
        id: what a buy names; single use.
        ask_cents: cost; payout_cents: what a win pays, stake included.
        spot, spot_time: the latest tick when the quote was made.
        date_start: the quote's second (stamped again at purchase).
        date_expiry: the contract's end; None where the venue leaves it out (durations in ticks).
    """

    id: str
    ask_cents: int
    payout_cents: int
    spot: float
    spot_time: int
    date_start: int
    date_expiry: int | None
    longcode: str = ""

    @classmethod
    def from_frame(cls, frame: Frame) -> Self:
        """From a ``proposal`` frame.

        Raises:
            FrameError: also when the cost is not positive.
        """
        quote = fields.inner(frame, "proposal")
        ask = fields.cents(quote, "ask_price")
        if ask <= 0:
            raise FrameError(f"ask_price must be positive, got {ask} cents")
        return cls(
            fields.text(quote, "id"),
            ask,
            fields.cents(quote, "payout"),
            fields.number(quote, "spot"),
            fields.epoch(quote, "spot_time"),
            fields.epoch(quote, "date_start"),
            fields.optional_epoch(quote, "date_expiry"),
            fields.optional_text(quote, "longcode") or "",
        )


@dataclass(frozen=True, slots=True)
class BuyReceipt:
    """The venue's answer to a buy: the contract exists."""

    contract_id: int
    transaction_id: int
    buy_cents: int
    payout_cents: int
    balance_cents: int
    purchase_time: int
    start_time: int
    shortcode: str
    longcode: str

    @classmethod
    def from_frame(cls, frame: Frame) -> Self:
        """From a ``buy`` frame."""
        receipt = fields.inner(frame, "buy")
        return cls(
            fields.identifier(receipt, "contract_id"),
            fields.identifier(receipt, "transaction_id"),
            fields.cents(receipt, "buy_price"),
            fields.cents(receipt, "payout"),
            fields.cents(receipt, "balance_after"),
            fields.epoch(receipt, "purchase_time"),
            fields.epoch(receipt, "start_time"),
            fields.text(receipt, "shortcode"),
            fields.text(receipt, "longcode"),
        )


@dataclass(frozen=True, slots=True)
class OpenContract:
    """A contract's state as ``proposal_open_contract`` streams it, until and including its settlement.

    Attributes:
        is_sold: True once settled (or sold back).
        status: ``open``, ``won``, ``lost``, ``sold``, ``cancelled`` or None.
        entry_epoch, entry_spot: the entry tick, None before it arrived; exit likewise.
        sell_cents: what settlement paid, None while open.
        profit_cents: sell price minus cost (indicative while open, None when not in whole cents).
    """

    contract_id: int
    is_sold: bool
    is_expired: bool
    status: str | None
    symbol: str
    contract_type: str
    buy_cents: int
    payout_cents: int | None
    purchase_time: int
    date_start: int
    date_expiry: int | None
    entry_epoch: int | None
    entry_spot: float | None
    exit_epoch: int | None
    exit_spot: float | None
    sell_cents: int | None
    sell_time: int | None
    profit_cents: int | None
    buy_transaction_id: int | None
    sell_transaction_id: int | None
    shortcode: str

    @classmethod
    def from_frame(cls, frame: Frame) -> Self | None:
        """From a ``proposal_open_contract`` frame; None when it is the empty "nothing is open" answer."""
        poc = fields.inner(frame, "proposal_open_contract")
        if poc.get("contract_id") is None:
            return None
        sold = fields.flag(poc, "is_sold")
        ids = poc.get("transaction_ids")
        transactions: Frame = ids if isinstance(ids, dict) else {}
        return cls(
            contract_id=fields.identifier(poc, "contract_id"),
            is_sold=sold,
            is_expired=fields.flag(poc, "is_expired"),
            status=fields.optional_text(poc, "status"),
            symbol=fields.text(poc, "underlying_symbol"),
            contract_type=fields.text(poc, "contract_type"),
            buy_cents=fields.cents(poc, "buy_price"),
            payout_cents=fields.optional_cents(poc, "payout"),
            purchase_time=fields.epoch(poc, "purchase_time"),
            date_start=fields.epoch(poc, "date_start"),
            date_expiry=fields.optional_epoch(poc, "date_expiry"),
            entry_epoch=fields.optional_epoch(poc, "entry_spot_time"),
            entry_spot=fields.optional_number(poc, "entry_spot"),
            exit_epoch=fields.optional_epoch(poc, "exit_spot_time"),
            exit_spot=fields.optional_number(poc, "exit_spot"),
            sell_cents=fields.optional_cents(poc, "sell_price"),
            sell_time=fields.optional_epoch(poc, "sell_time"),
            profit_cents=_profit(poc, sold),
            buy_transaction_id=fields.optional_identifier(transactions, "buy"),
            sell_transaction_id=fields.optional_identifier(transactions, "sell"),
            shortcode=fields.optional_text(poc, "shortcode") or "",
        )


def _profit(poc: Frame, sold: bool) -> int | None:
    """Profit is money only once sold; before that it is a valuation that may carry fractions of a cent."""
    try:
        return fields.optional_cents(poc, "profit")
    except FrameError:
        if sold:
            raise
        return None


def call_of(frame: Mapping[str, Any]) -> str:
    """The frame's ``msg_type``, or an empty text."""
    value = frame.get("msg_type")
    return value if isinstance(value, str) else ""
