"""Faults at work: what the venue and its shell ask before they go on.

A venue without faults asks nothing: every hook stands behind ``armed``. The paper-only messages of lockstep are the
clock of a test and no message of Deriv's, so only a dead line keeps them back.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from paper_exchange.errors import CallError
from paper_exchange.faults import account, books
from paper_exchange.faults.catalogue import FaultName, Point
from paper_exchange.faults.feed import Feed, Told
from paper_exchange.faults.garble import bad_bytes, garbled, with_nulls
from paper_exchange.faults.plan import Plan
from paper_exchange.faults.script import Fault
from paper_exchange.faults.seeded import Mix
from paper_exchange.venue.connections import Close, Connection, Frame, Wire
from xtitan_core.symbols import Symbol

if TYPE_CHECKING:
    from paper_exchange.contracts.open_contract import OpenContract
    from paper_exchange.exchange import Exchange
    from paper_exchange.venue.accounts import Account, CashRow
    from paper_exchange.venue.state import Venue

Action = Callable[["Exchange"], None]

_REFUSALS = {
    FaultName.RATE_LIMIT: ("RateLimit", "You have reached the rate limit for {call}."),
    FaultName.PRICE_MOVED: (
        "PriceMoved",
        "The underlying market has moved too much since you priced the contract. Please try again.",
    ),
    FaultName.MARKET_CLOSED: ("MarketIsClosed", "This market is presently closed."),
}
_POC_REQUIRED = frozenset({"id", "contract_id"})


@dataclass(frozen=True, slots=True)
class _Asked:
    """The call being acted on, whose answer is the next frame that echoes it."""

    connection: Connection
    request: Frame
    call: str


class Faults:
    """Every fault that was asked for.

    Args:
        faults: scripted ones.
        mix: random ones; None for none.

    Attributes:
        armed: False while nothing was ever asked for; then no hook is called.
        fired: what happened so far, oldest first.
    """

    def __init__(self, faults: Iterable[Fault] = (), mix: Mix | None = None) -> None:
        self.armed = mix is not None
        self.fired: list[dict[str, Any]] = []
        self._plan, self._feed = Plan(mix), Feed()
        self._due: list[tuple[int, int, Action]] = []
        self._order = 0
        self._asked: _Asked | None = None
        self._behind: dict[int, list[Frame]] = {}
        self._settling: list[tuple[OpenContract, Connection, Frame]] = []
        for fault in faults:
            self.script(fault)

    def script(self, fault: Fault) -> None:
        """Ask for a fault, from now on."""
        self.armed = True
        if fault.point is Point.TIME:
            self._later(fault.at or 0, lambda exchange: self._happen(exchange, fault))
        else:
            self._plan.add([fault])

    def end(self) -> None:
        """Begin no fault any more; what is under way runs its course."""
        self._plan.clear()

    def record(self, venue: Venue, fault: Fault, **facts: Any) -> None:
        """Note that a fault happened."""
        facts = {"fault": str(fault.name), **facts, **{k: v for k, v in fault.values.items() if k not in facts}}
        self.fired.append({"epoch": venue.epoch, **facts})
        venue.events.record("fault", **facts)

    # Calls that arrive

    def incoming(self, exchange: Exchange, connection: Connection, call: str, request: Frame) -> bool:
        """A call arrived; True when the venue must not act on it (any more)."""
        fault = self._plan.take(Point.REQUEST, exchange.epoch, call=call, account=_account(connection))
        self._asked = _Asked(connection, request, call)
        if fault is None:
            return False
        if fault.name not in account.STRIKES:  # those are recorded with what came of them
            self.record(exchange, fault, connection=connection.number, call=call, account_id=_account(connection))
        if fault.name is FaultName.REQUEST_LOST:
            return True
        if fault.name is FaultName.REQUEST_REPEATED:
            exchange.act(connection, call, request)
            self._asked = _Asked(connection, request, call)
            return False
        if fault.name is FaultName.DROP_BEFORE:
            _drop(exchange, connection, fault)
            return True
        if fault.name is FaultName.EXECUTED_LATE:
            self._execute_late(exchange, connection, call, request, exchange.epoch + fault.seconds())
            return True
        if fault.name in _REFUSALS or fault.name is FaultName.REFUSED:
            code, message = _REFUSALS.get(fault.name, (str(fault.values.get("code")), "The request was refused."))
            exchange.refuse(connection, request, call, CallError(code, message.format(call=call)))
            return True
        self._strike(exchange, fault, [connection])
        return connection.deaf

    def _execute_late(self, exchange: Exchange, connection: Connection, call: str, request: Frame, at: int) -> None:
        # The venue has taken the price already, so it does not age while the order waits.
        offered = connection.proposals.get(str(request.get("buy")))
        if offered is not None:
            connection.proposals[offered.proposal_id] = replace(offered, epoch=at)

        def act(exchange: Exchange) -> None:
            self._asked = _Asked(connection, request, call)
            exchange.act(connection, call, request)

        self._later(at, act)

    # Frames that go out

    def outgoing(self, venue: Venue, connection: Connection, frame: Frame, text: str | None = None) -> bool:
        """A frame is to be sent, ``text`` when it is encoded already; False when it is not delivered in full, now."""
        if connection.silent:
            return False
        if str(frame["msg_type"]).startswith("paper_"):
            return self._put(venue, connection, frame, flush=False)
        asked = self._asked
        if asked is not None and frame.get("echo_req") is asked.request and connection is asked.connection:
            self._asked = None
            refused = "error" in frame
            fault = self._plan.take(
                Point.ANSWER,
                venue.epoch,
                call=asked.call,
                account=_account(connection),
                suits=lambda name: _suits_answer(name, frame, refused=refused),
            )
            if fault is not None:
                self.record(venue, fault, connection=connection.number, call=asked.call, **_of(connection, frame))
                return self._answer(venue, connection, frame, fault)
        kind = str(frame["msg_type"])
        fault = self._plan.take(
            Point.FRAME,
            venue.epoch,
            call=kind,
            account=_account(connection),
            suits=lambda name: _suits_frame(name, frame),
        )
        if fault is None:
            return self._put(venue, connection, frame if text is None else text)
        self.record(venue, fault, connection=connection.number, call=kind, **_of(connection, frame))
        return self._frame(venue, connection, frame, fault)

    def encoded(self, venue: Venue, connection: Connection, text: str) -> None:
        """The same for a frame that is encoded already."""
        self.outgoing(venue, connection, json.loads(text), text)

    def _answer(self, venue: Venue, connection: Connection, frame: Frame, fault: Fault) -> bool:
        name = fault.name
        if name is FaultName.ANSWER_HELD:
            connection.silent = True
        elif name is FaultName.ANSWER_LATE:
            self._put_later(connection, frame, venue.epoch + fault.seconds())
        elif name is FaultName.ANSWER_REPEATED:
            self._put(venue, connection, frame)
            return self._put(venue, connection, frame)
        elif name is FaultName.ANSWER_REORDERED:
            self._behind.setdefault(connection.number, []).append(frame)
        elif name is FaultName.ANSWER_ERROR:
            error = CallError(str(fault.values["code"]), "Sorry, an error occurred while processing your request.")
            kept: Frame = {k: frame[k] for k in ("echo_req", "msg_type", "req_id") if k in frame}
            self._put(venue, connection, {**kept, "error": error.body()})
        elif name is FaultName.ANSWER_MISLABELLED:
            self._put(venue, connection, {**frame, "req_id": frame.get("req_id", 0) + int(fault.number("off"))})
        elif name is FaultName.ANSWER_AFTER_SETTLEMENT:
            contract = _bought(connection, frame)
            assert contract is not None
            self._settling.append((contract, connection, frame))
        elif name is FaultName.DROP_AFTER:
            _drop(venue, connection, fault)
        elif name is FaultName.DROP_ANSWERED:
            sent = self._put(venue, connection, frame)
            _drop(venue, connection, fault)
            return sent
        return False

    def _frame(self, venue: Venue, connection: Connection, frame: Frame, fault: Fault) -> bool:
        name = fault.name
        if name is FaultName.FRAME_LATE:
            self._put_later(connection, frame, venue.epoch + fault.seconds())
        elif name is FaultName.FRAME_REPEATED:
            self._put(venue, connection, frame)
            return self._put(venue, connection, frame)
        elif name is FaultName.FRAME_REORDERED:
            self._behind.setdefault(connection.number, []).append(frame)
        elif name is FaultName.GARBLED:
            self._put(venue, connection, garbled(frame, str(fault.values["how"])))
        elif name is FaultName.NULL_FIELDS:
            self._put(venue, connection, with_nulls(frame, _POC_REQUIRED))
        elif name is FaultName.CLOCK_SKEW:
            return self._put(venue, connection, {**frame, "time": frame["time"] + fault.seconds()})
        return False

    def _put(self, venue: Venue, connection: Connection, item: Frame | str, *, flush: bool = True) -> bool:
        if connection.silent:
            return False
        venue.outbox.append((connection.number, item))
        for late in self._behind.pop(connection.number, ()) if flush else ():
            venue.outbox.append((connection.number, late))
            _mark_answered(connection, late)
        return True

    def _put_later(self, connection: Connection, frame: Frame, at: int) -> None:
        def put(exchange: Exchange) -> None:
            if self._put(exchange, connection, frame):
                _mark_answered(connection, frame)

        self._later(at, put)

    # Time

    def next_due(self) -> int | None:
        """The epoch of the next thing that waits for its time, None when nothing does."""
        return self._due[0][0] if self._due else None

    def due(self, exchange: Exchange) -> None:
        """Do everything whose time has come. Called after the ticks of an instant, and when a fault was scripted."""
        while self._due and self._due[0][0] <= exchange.epoch:
            heapq.heappop(self._due)[2](exchange)
        for item in [item for item in self._settling if item[0].sold_for is not None]:
            self._settling.remove(item)
            _, connection, frame = item
            if self._put(exchange, connection, frame):
                _mark_answered(connection, frame)

    def _later(self, at: int, action: Action) -> None:
        self._order += 1
        heapq.heappush(self._due, (at, self._order, action))

    def _happen(self, exchange: Exchange, fault: Fault) -> None:
        """A fault whose moment is a time."""
        chosen = [c for c in exchange.connections.values() if fault.account in ("", _account(c))]
        struck = account.STRIKES.get(fault.name)
        if struck is None:
            self.record(exchange, fault, connections=[c.number for c in chosen])
        for _ in range(max(1, fault.times)):
            self._strike(exchange, fault, chosen)

    def _strike(self, exchange: Exchange, fault: Fault, connections: list[Connection]) -> None:
        """Do to sockets, or to an account, what no single message is at fault for."""
        struck = account.STRIKES.get(fault.name)
        if struck is not None:
            name = fault.account or next((_account(c) for c in connections if c.account), next(iter(exchange.accounts)))
            self.record(exchange, fault, **struck(exchange, exchange.accounts[name], fault))
            return
        for connection in connections:
            if fault.name is FaultName.DROP:
                _drop(exchange, connection, fault)
                continue
            if fault.name is FaultName.BAD_BYTES:
                how = str(fault.values["how"])
                exchange.outbox.append((connection.number, Wire("write", bad_bytes(how))))
                if how in ("announced", "stalled"):
                    connection.silent = True
                    exchange.outbox.append((connection.number, Wire("mute")))
                continue
            if fault.name in (FaultName.MUTE, FaultName.HALF_OPEN):
                connection.silent = True
                exchange.outbox.append((connection.number, Wire("mute")))
            if fault.name in (FaultName.DEAF, FaultName.HALF_OPEN):
                connection.deaf = True
                exchange.outbox.append((connection.number, Wire("deaf")))
            # Nothing can acknowledge over a dead line, and the world does not wait for it.
            exchange.lockstep.leave(connection.number)

    # Feed, books, login

    def ticks(self, venue: Venue, symbol: Symbol, epoch: int, quote: float) -> list[Told]:
        """A symbol ticked; what its subscribers hear."""

        def take() -> Fault | None:
            fault = self._plan.take(Point.FEED, epoch, symbol=symbol.name)
            if fault is not None:
                self.record(venue, fault, symbol=symbol.name, quote=quote)
            return fault

        return self._feed.told(symbol, epoch, quote, take)

    def rows(self, venue: Venue, owner: Account, request: Frame) -> Iterator[CashRow]:
        """An account's statement, newest first, as this reading shows it."""
        lag = self._reading(venue, owner, "statement", FaultName.STATEMENT_LAG)
        paged = bool(request.get("offset"))
        shift = self._reading(venue, owner, "statement", FaultName.STATEMENT_SHIFT) if paged else None
        rows = owner.newest_first()
        if lag is not None:
            rows = books.behind(rows, venue.epoch - lag.seconds())
        return rows if shift is None else books.shifted(rows, int(shift.number("rows")), venue.epoch)

    def positions(self, venue: Venue, owner: Account, call: str) -> Iterable[OpenContract]:
        """Contracts that ``portfolio`` shows as open, or ``profit_table`` as closed, oldest first."""
        lag = self._reading(venue, owner, call, FaultName.PORTFOLIO_LAG)
        return books.positions(owner, venue.epoch - (lag.seconds() if lag else 0), closed=call == "profit_table")

    def _reading(self, venue: Venue, owner: Account, call: str, name: FaultName) -> Fault | None:
        fault = self._plan.take(
            Point.BOOKS, venue.epoch, call=call, account=owner.account_id, suits=lambda other: other is name
        )
        if fault is not None:
            self.record(venue, fault, call=call, account_id=owner.account_id)
        return fault

    def proceeds(self, venue: Venue, contract: OpenContract) -> Decimal:
        """What a contract that is over pays."""
        due = contract.proceeds()
        fault = self._plan.take(
            Point.BOOKS,
            venue.epoch,
            account=contract.account_id,
            symbol=contract.terms.symbol.name,
            suits=lambda name: name is FaultName.VOIDED or (name is FaultName.PAYOUT_DIFFERS and due > 0),
        )
        if fault is None:
            return due
        self.record(venue, fault, contract_id=contract.contract_id, account_id=contract.account_id, due=f"{due:.2f}")
        return books.proceeds(contract, fault, due)

    def login(self, venue: Venue, step: FaultName, account_id: str) -> Fault | None:
        """A one-time password is asked for (``OTP_REFUSED``), or a socket opened: the fault that strikes it."""
        steps = {step} if step is FaultName.OTP_REFUSED else {FaultName.UPGRADE_REFUSED, FaultName.ACCEPT_THEN_CLOSE}
        fault = self._plan.take(Point.LOGIN, venue.epoch, account=account_id, suits=lambda name: name in steps)
        if fault is not None:
            self.record(venue, fault, account_id=account_id)
        return fault


def _account(connection: Connection) -> str:
    return connection.account.account_id if connection.account else ""


def _drop(venue: Venue, connection: Connection, fault: Fault) -> None:
    connection.silent = connection.deaf = True
    venue.outbox.append((connection.number, Close(int(fault.number("code")))))


def _bought(connection: Connection, frame: Frame) -> OpenContract | None:
    """The contract whose purchase a frame answers."""
    receipt = frame.get("buy")
    if connection.account is None or not isinstance(receipt, dict):
        return None
    return connection.account.contracts.get(receipt["contract_id"])


def _mark_answered(connection: Connection, frame: Frame) -> None:
    contract = _bought(connection, frame)
    if contract is not None:
        contract.answered = True


def _of(connection: Connection, frame: Frame) -> dict[str, Any]:
    """Whom and what a frame is about, for the log."""
    body = frame.get(frame["msg_type"])
    facts = {"account_id": _account(connection)}
    if isinstance(body, dict) and "contract_id" in body:
        facts["contract_id"] = body["contract_id"]
    return facts


def _suits_answer(name: FaultName, frame: Frame, *, refused: bool) -> bool:
    if name is FaultName.ANSWER_AFTER_SETTLEMENT:
        return "buy" in frame and not refused
    if name is FaultName.ANSWER_MISLABELLED and "req_id" not in frame:
        return False
    return (name is FaultName.REJECTION_LOST) == refused


def _suits_frame(name: FaultName, frame: Frame) -> bool:
    if name is FaultName.CLOCK_SKEW:
        return "time" in frame
    return name is not FaultName.NULL_FIELDS or "proposal_open_contract" in frame
