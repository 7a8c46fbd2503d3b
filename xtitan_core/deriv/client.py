"""One websocket to Deriv (or the paper exchange): requests matched by ``req_id``, streams in arrival order.

This module is the only place in x.titan that builds a purchase, and the socket it goes through must have been opened
for trading. Nothing here retries: what was sent once is never sent again.

Frames are decoded and enqueued as they arrive, so a slow consumer never delays keepalive. Keepalive runs on wall
time whatever clock the venue has. It is twofold: websocket pings find out that the line is dead, and a ``ping`` call
where nothing else is asked keeps the venue from closing a socket that sends no requests (Deriv asks for one every 30 s
and closes after two minutes) and finds out that the venue behind the line has stopped answering.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from xtitan_core.clock import monotonic
from xtitan_core.deriv import verbs as verb_lists
from xtitan_core.deriv.budgets import Budgets, ByAddress, budgets_for
from xtitan_core.deriv.endpoints import socket_kind
from xtitan_core.deriv.errors import (
    BudgetExhausted,
    DerivClientError,
    DerivError,
    FrameError,
    NotConnected,
    RequestTimeout,
    VerbRefused,
)
from xtitan_core.deriv.fields import from_cents
from xtitan_core.deriv.pending import Answer, PendingRequests
from xtitan_core.deriv.protocol import decode
from xtitan_core.deriv.verbs import PURCHASE
from xtitan_core.deriv.wire import WireSocket, open_socket

if TYPE_CHECKING:
    from xtitan_core.deriv.rest import PaperTime

TRADING_FRAME_BYTES = 256 * 1024
READING_FRAME_BYTES = 4 * 1024 * 1024
EVENT_LIMIT = 100_000
"""Stream frames that may wait for the consumer before the connection is given up as stalled."""
IDLE_SECONDS = 25.0
"""Wall seconds without a request after which a ``ping`` call is sent."""
PONG_SECONDS = 20.0
"""Wall seconds to wait for its answer before the connection is given up."""

_PROPOSAL_ID = re.compile(r"[\w-]{32,128}", re.ASCII)


class DerivClient:
    """One open connection. Make it with ``await DerivClient.connect(...)``.

    Attributes:
        events: every stream frame (ticks, transactions, contract updates, balance, ``paper_instant``) in arrival
            order, also answers to a purchase nobody waits for any more; ``None`` once, at the end. The first frame of
            a subscription is returned by ``subscribe`` and is not queued.
        closed: set when the socket has closed; ``close_reason`` then says why.
        generation: the number the supervisor gave this connection; ``req_id`` values never repeat across them.
        kind: ``public``, ``demo`` or ``real``, from the address.
        paper: the paper exchange's clock when the connection was opened, None elsewhere.
    """

    def __init__(
        self,
        socket: WireSocket,
        verbs: frozenset[str],
        generation: int,
        *,
        budgets: Budgets | None,
        kind: str | None,
        paper: PaperTime | None,
        idle: float,
        pong_timeout: float,
    ) -> None:
        self.events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.closed = asyncio.Event()
        self.close_reason = ""
        self.generation = generation
        self.kind = kind
        self.paper = paper
        self._socket = socket
        self._verbs = verbs
        self._budgets = budgets
        self._pending = PendingRequests(generation)
        self._bought: set[str] = set()
        self._fault = ""
        self._closer: asyncio.Task[None] | None = None  # kept, so that it is not collected while it runs
        # The loop's own time, which sleeping goes by: on a virtual loop it is not the wall's.
        self._loop = asyncio.get_running_loop()
        self._written = self._loop.time()
        self._watcher = self._loop.create_task(self._watch(), name=f"deriv-{generation}")
        self._pinger = self._loop.create_task(self._ping_when_idle(idle, pong_timeout), name=f"deriv-ping-{generation}")
        socket.deliver_to(self._receive)

    @classmethod
    async def connect(
        cls,
        url: str,
        verbs: frozenset[str],
        *,
        # What the connection is
        generation: int = 0,
        budgets: Budgets | ByAddress | None = "by address",
        paper: PaperTime | None = None,
        # Timeouts and keepalive, in wall seconds
        open_timeout: float = 10.0,
        keepalive: float = 5.0,
        idle: float = IDLE_SECONDS,
        pong_timeout: float = PONG_SECONDS,
    ) -> Self:
        """Open a socket. No request is sent.

        Args:
            url: from ``RestClient.otp`` (single use) or ``public_socket_url``.
            verbs: ``READ_ONLY`` or ``TRADING``; anything else is refused before it is sent.
            generation: number of this connection, growing with each reconnect; 0 for one that stands alone.
            budgets: what to stay inside; None for no limit (a paper exchange has none). By default ``by address``:
                ``PROCESS_BUDGETS``, this process's share of Deriv's budgets, except on this machine's own addresses,
                where only a paper exchange can live.
            paper: the clock that came with the one-time password; None (the default) on any other venue.
            open_timeout: for the opening handshake; 10 s.
            keepalive: between websocket pings, and to wait for a pong; 5 s.
            idle: without a request, after which a ``ping`` call is sent; ``IDLE_SECONDS`` (25 s).
            pong_timeout: to wait for its answer before the connection is given up; ``PONG_SECONDS`` (20 s).

        Raises:
            VenueError: no connection was made, so nothing was sent. ``Unreachable`` and ``Refused`` (which an expired
                one-time password is, too) are ``transient``: with a new one-time password a later attempt may succeed.
                ``BadAddress``, an address that is no websocket's, is not.
        """
        socket = await open_socket(
            url,
            max_size=TRADING_FRAME_BYTES if PURCHASE in verbs else READING_FRAME_BYTES,
            keepalive=keepalive,
            open_timeout=open_timeout,
        )
        return cls(
            socket,
            verbs,
            generation,
            budgets=budgets_for(url, budgets),
            kind=socket_kind(url),
            paper=paper,
            idle=idle,
            pong_timeout=pong_timeout,
        )

    async def request(self, payload: Mapping[str, Any], timeout: float = 10.0) -> dict[str, Any]:  # noqa: ASYNC109
        """Send one request and wait for its answer.

        Args:
            payload: the request without ``req_id``. Purchases go through ``start_buy`` only.
            timeout: wall seconds for waiting on the budget and the answer together.

        Returns:
            The answering frame.

        Raises:
            DerivError: the venue answered with an error.
            RequestTimeout, ConnectionLost: no answer.
            VerbRefused, BudgetExhausted, NotConnected: nothing was sent.
        """
        verb = verb_lists.verb_of(payload, self._verbs)
        if verb == PURCHASE:
            raise VerbRefused("a purchase goes through start_buy, nowhere else")
        deadline = monotonic() + timeout
        await self._wait_for_budget(verb, deadline)
        req_id, answer = self._send(payload)
        try:
            async with asyncio.timeout(max(0.0, deadline - monotonic())):
                return await answer
        except TimeoutError:
            self._pending.give_up(req_id)
            raise RequestTimeout(f"no answer to {verb} within {timeout:g} s") from None
        except asyncio.CancelledError:
            self._pending.give_up(req_id)
            raise

    async def subscribe(self, payload: Mapping[str, Any], timeout: float = 10.0) -> dict[str, Any]:  # noqa: ASYNC109
        """Start a stream: its first frame is returned, all later ones go to ``events``. Raises as ``request``."""
        return await self.request({**payload, "subscribe": 1}, timeout)

    async def enter_lockstep(self) -> dict[str, Any]:
        """Have the paper exchange move time only when this socket acknowledges each instant. Raises as ``request``."""
        return await self.request({"paper_lockstep": 1})

    def ack_instant(self, epoch: int) -> None:
        """Tell the paper exchange that everything up to ``epoch`` has been handled.

        Raises:
            NotConnected: the socket has closed.
        """
        self._write(f'{{"paper_ack":{epoch:d}}}')

    def start_buy(self, proposal_id: str, price_cents: int) -> Answer:
        """Write one purchase, now, and never re-send it; the future brings the venue's answer.

        The frame is in the socket's hands when this returns: there is no await in between. The future ends with the
        answering frame, with ``DerivError``, or with ``ConnectionLost`` (the purchase may exist). When it is cancelled,
        a late answer goes to ``events``.

        Args:
            proposal_id: from a quote of this very connection; a second use is refused here.
            price_cents: the most it may cost.

        Raises:
            NotSent: (``VerbRefused``, ``BudgetExhausted``, ``NotConnected``): nothing was written.
            ValueError: the id or the price cannot be right; nothing was written.
        """
        if PURCHASE not in self._verbs:
            raise VerbRefused("this connection may not buy; only the runner's trading connection may")
        if not _PROPOSAL_ID.fullmatch(proposal_id):
            raise ValueError("not a proposal id; buying by parameters is not idempotent and never done")
        if proposal_id in self._bought:
            raise VerbRefused("this quote was already used for a purchase; ask for a new one")
        if price_cents <= 0:
            raise ValueError(f"the price must be positive, got {price_cents} cents")
        if self._budgets is not None and not self._budgets.take(PURCHASE, monotonic()):
            raise BudgetExhausted("a purchase now would pass our share of the request budget; wait a minute")
        req_id, answer = self._send({"buy": proposal_id, "price": from_cents(price_cents)})
        self._bought.add(proposal_id)
        answer.add_done_callback(lambda _: self._pending.forget(req_id))
        return answer

    async def close(self) -> None:
        """Close the socket and wait until it is closed; safe to call twice."""
        await self._socket.close()
        await self.closed.wait()

    # ---- inside

    async def _wait_for_budget(self, verb: str, deadline: float) -> None:
        """Hold a request back until it fits our budget."""
        if self._budgets is None:
            return
        while not self._budgets.take(verb, now := monotonic()):
            pause = self._budgets.wait(verb, now)
            if now + pause > deadline:
                raise BudgetExhausted(f"{verb} would pass our share of the request budget for another {pause:.0f} s")
            await asyncio.sleep(pause)

    def _send(self, payload: Mapping[str, Any]) -> tuple[int, Answer]:
        """Write one request; its answer arrives in the future."""
        req_id, answer = self._pending.expect()
        try:
            text = json.dumps({**payload, "req_id": req_id}, separators=(",", ":"), allow_nan=False)
            self._write(text)
        except BaseException:
            self._pending.forget(req_id)
            raise
        return req_id, answer

    def _write(self, text: str) -> None:
        """Hand one text frame to the transport, without awaiting, so that frames leave in the order of the calls."""
        if not self._socket.is_open or self._fault:
            raise NotConnected(f"the connection is closed{': ' if self.close_reason else ''}{self.close_reason}")
        self._socket.write(text)
        self._written = self._loop.time()

    async def _ping_when_idle(self, idle: float, pong_timeout: float) -> None:
        """Send a ``ping`` call when nothing was sent for ``idle`` seconds; without an answer, end the connection."""
        while not self.closed.is_set():
            if (rest := self._written + idle - self._loop.time()) > 0:
                await asyncio.sleep(rest)
                continue
            try:
                await self.request({"ping": 1}, pong_timeout)
            except RequestTimeout:
                self._abandon(f"no answer to a ping within {pong_timeout:g} s")
                return
            except BudgetExhausted:
                self._written = self._loop.time()  # requests filled the budget, so the socket was not silent
            except DerivError:
                pass  # a refusal is an answer
            except DerivClientError:
                return  # the connection has ended

    def _abandon(self, fault: str) -> None:
        """Close a connection that is of no use any more."""
        self._fault = self._fault or fault
        self._closer = asyncio.get_running_loop().create_task(self._socket.close(1008), name="deriv-closer")

    async def _watch(self) -> None:
        """Wait until the socket has closed, then end all requests that wait for an answer."""
        reason = "the event loop stopped"
        try:
            reason = await self._socket.ended()
        finally:
            self._end(self._fault or reason)

    def _receive(self, message: str | None) -> None:
        """Decode one message; one that is not a frame ends the connection."""
        if self._fault:
            return
        try:
            self._handle(decode(message))
            return
        except FrameError as error:
            self._abandon(str(error))
        except _Stalled:
            self._abandon(f"{EVENT_LIMIT} frames wait unread; the consumer has stalled")

    def _handle(self, frame: dict[str, Any]) -> None:
        """An awaited answer goes to its waiter, everything else to ``events``."""
        if self._pending.take(frame):
            return
        if self.events.qsize() >= EVENT_LIMIT:
            raise _Stalled
        self.events.put_nowait(frame)

    def _end(self, reason: str) -> None:
        """End all requests that wait for an answer, and the stream."""
        self.close_reason = reason
        self.closed.set()
        self._pinger.cancel()
        self._pending.end(reason)
        self.events.put_nowait(None)


class _Stalled(Exception):
    """The consumer of ``events`` left too many frames unread."""
