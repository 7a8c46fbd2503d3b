"""A venue for tests, in memory and under the test's control: it can lose, delay and contradict.

``FakeVenue`` holds what is true (time, balance, cash rows, contracts, ticks); ``FakeConnection`` is what a client sees
of it and stands wherever the runner takes a connection. Everything runs on a ``ManualClock`` and a seeded generator::

    venue = FakeVenue()
    client = venue.connect()
    purchase = await gate.purchase(client, order, 0.0)
    venue.advance(13)  # the contract settles

Make it misbehave:

* ``venue.fates = lambda random: (True, 40, "lost")``: each buy is booked, after 40 s, and the connection dies instead
  of an answer;
* ``venue.broken = {"statement"}``: this call is refused; ``venue.lag = 3``: statement and portfolio are 3 s behind;
* ``client.answers["time"] = lambda payload: 0``: one connection answers this call with something else;
* ``client.events.put_nowait(frame)``: any frame at all on the stream.

A loop is served to its end by ``venue.tick(...)``, ``venue.instant()`` and ``client.end()``, which queue frames that
``TradingLoop.serve(client)`` then handles in their order. No module of the program imports this one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xtitan_core.clock import ManualClock
from xtitan_core.deriv.errors import ConnectionLost, DerivError, NotConnected
from xtitan_core.deriv.history import Epochs, Quotes
from xtitan_core.deriv.rest import PaperTime
from xtitan_core.randomness import stream

if TYPE_CHECKING:
    from live_runner.venue.client import ReadingClient, TradingClient, VenueClient
    from xtitan_core.deriv.client import DerivClient

START = 1_772_409_600  # 2026-03-02T00:00:00Z
ACCOUNT = "DOT90000001"
SYMBOL = "R_100"
CONTRACT_SECONDS = 12
"""From a purchase to the fifth tick after it."""
PAYOUT_RATIO = 1.953

Answer = Callable[[Any], Any]
"""From a request's payload to the answer's body. For ``buy``: from the booked cash row to the receipt."""


class FakeVenue:
    """The state of a venue, and how it misbehaves.

    Attributes:
        clock: the venue's time; ``advance`` moves it.
        balance: cents on the account.
        rows: every cash row, as ``statement`` shows it.
        ticks: ``(epoch, quote)`` of every tick.
        open: open contracts: ``{contract id: (end, payout in cents, id of the buy's row)}``.
        frames: proposal ids of every purchase that reached the wire.
        acknowledged: instants of lockstep that a client acknowledged.
        fates: called with the generator for each buy; returns ``(booked, delay in seconds, answer)`` where answer is
            ``ok``, ``bad`` (unreadable), ``lost`` (the connection dies) or an error code.
        lag: seconds until a booked row shows on statement and portfolio.
        broken: calls that are refused; ``ticks_history`` breaks ``history``.
        on_row: called with every cash row as it is booked.
    """

    def __init__(self, seed: int = 1) -> None:
        self.clock = ManualClock(START)
        self.random = stream(seed, "venue")
        self.balance = 1_000_000
        self.rows: list[dict[str, Any]] = []
        self.ticks: list[tuple[int, float]] = []
        self.open: dict[int, tuple[int, int, int]] = {}
        self.frames: list[str] = []
        self.acknowledged: list[int] = []
        self.fates: Callable[[np.random.Generator], tuple[bool, int, str]] = lambda _: (True, 0, "ok")
        self.lag = 0
        self.broken: set[str] = set()
        self.on_row: Callable[[dict[str, Any]], None] = lambda _: None
        self._later: list[tuple[int, dict[str, Any]]] = []
        self._ids = 10_000
        self._connections: list[FakeConnection] = []

    def connect(self, generation: int = 1, *, kind: str | None = "demo", lockstep: bool = False) -> FakeConnection:
        """A new connection; quotes of older ones are worthless on it.

        Args:
            generation: the number a supervisor would give it.
            kind: ``public``, ``demo`` or ``real``.
            lockstep: the connection is one to a paper exchange in lockstep, otherwise to a venue with its own time.
        """
        paper = PaperTime(self.clock.now(), 0.0, "lockstep") if lockstep else None
        connection = FakeConnection(self, generation, kind, paper)
        self._connections.append(connection)
        return connection

    # ---- time and market

    def advance(self, seconds: int) -> None:
        """Let time pass second by second: late executions, then settlements."""
        for _ in range(seconds):
            now = int(self.clock.now()) + 1
            self.clock.set(now)
            due = [terms for at, terms in self._later if at <= now]
            self._later = [(at, terms) for at, terms in self._later if at > now]
            for terms in due:
                self.book(**terms)
            for contract_id, (end, payout, buy_id) in list(self.open.items()):
                if end <= now:
                    del self.open[contract_id]
                    won = bool(self.random.random() < 0.5)
                    self._move("sell", contract_id, payout if won else 0, None, None, buy_id)

    def tick(self, epoch: int, quote: float) -> None:
        """One tick of ``SYMBOL``: into the history, and to every connection that subscribed to ticks."""
        self.ticks.append((epoch, quote))
        self._publish("ticks", {"msg_type": "tick", "tick": tick_body(epoch, quote)})

    def instant(self) -> None:
        """Everything up to the present has been sent: what a paper exchange in lockstep says then."""
        self._publish(
            "paper_lockstep", {"msg_type": "paper_instant", "paper_instant": {"epoch": int(self.clock.now())}}
        )

    async def history(self, start: int, end: int) -> tuple[Epochs, Quotes]:
        """Ticks with start <= epoch <= end, as ``read_history`` returns them.

        Raises:
            DerivError: while ``ticks_history`` is broken.
        """
        if "ticks_history" in self.broken:
            raise DerivError("RateLimit", "broken on purpose", "ticks_history")
        inside = [(epoch, quote) for epoch, quote in self.ticks if start <= epoch <= end]
        return np.array([e for e, _ in inside], np.int64), np.array([q for _, q in inside], np.float64)

    # ---- money

    def book(self, kind: str, stake: int, payout: int) -> dict[str, Any]:
        """Book one purchase now; cents. The row as the statement shows it."""
        now = int(self.clock.now())
        contract_id = 5_000_000 + self.next_id()
        code = f"{kind}_{SYMBOL}_{payout / 100:.2f}_{now}_5T_S0P_0"
        row = self._move("buy", contract_id, -stake, payout, code, None)
        self.open[contract_id] = (now + CONTRACT_SECONDS, payout, row["transaction_id"])
        return row

    def book_later(self, seconds: int, **terms: Any) -> None:
        """Book one purchase after some seconds: the back end was slow."""
        self._later.append((int(self.clock.now()) + seconds, terms))

    def deposit(self, cents: int) -> None:
        """Pay money into the account."""
        self._move("deposit", None, cents, None, None, None)

    def bought(self) -> set[int]:
        """Contract ids of every purchase that really happened."""
        return {row["contract_id"] for row in self.rows if row["action_type"] == "buy"}

    def visible(self) -> list[dict[str, Any]]:
        """Rows that statement and portfolio show by now."""
        return [r for r in self.rows if r["transaction_time"] + self.lag <= self.clock.now()]

    def next_id(self) -> int:
        """A number that no contract, row or quote had before."""
        self._ids += 1
        return self._ids

    def _move(
        self, action: str, contract_id: int | None, cents: int, payout: int | None, code: str | None, buy: int | None
    ) -> dict[str, Any]:
        self.balance += cents
        row = {
            "action_type": action,
            "transaction_id": self.next_id(),
            "contract_id": contract_id,
            "amount": cents / 100,
            "balance_after": self.balance / 100,
            "transaction_time": int(self.clock.now()),
            "payout": None if payout is None else payout / 100,
            "shortcode": code,
            "reference_id": buy,
            "app_id": 1,
        }
        self.rows.append(row)
        self.on_row(row)
        body = {key: row[key] for key in ("transaction_id", "contract_id", "amount", "transaction_time")}
        body |= {"action": action, "balance": row["balance_after"]}
        self._publish("transaction", {"msg_type": "transaction", "transaction": body})
        return row

    def _publish(self, stream_name: str, frame: dict[str, Any]) -> None:
        for connection in self._connections:
            if stream_name in connection.subscribed and not connection.closed.is_set():
                connection.events.put_nowait(frame)


class FakeConnection:
    """One connection to a ``FakeVenue``, with the interface of ``DerivClient``.

    Attributes:
        answers: by call; replace an entry and this connection answers with something else.
        asked: every request's payload, in order.
        subscribed: streams by the name of their call.
        before_send: called with the proposal id just before a purchase reaches the wire.
        generation, kind, paper, closed, events: as on ``DerivClient``.
    """

    def __init__(self, venue: FakeVenue, generation: int, kind: str | None, paper: PaperTime | None) -> None:
        self.venue, self.generation, self.kind, self.paper = venue, generation, kind, paper
        self.closed = asyncio.Event()
        self.events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.asked: list[Mapping[str, Any]] = []
        self.subscribed: set[str] = set()
        self.before_send: Callable[[str], None] = lambda _: None
        self.answers: dict[str, Answer] = {
            "time": lambda _: int(venue.clock.now()),
            "balance": lambda _: {"balance": venue.balance / 100, "currency": "USD", "loginid": ACCOUNT},
            "statement": self._statement,
            "portfolio": self._portfolio,
            "proposal": self._proposal,
            "buy": receipt,
            "active_symbols": lambda _: [
                {"underlying_symbol": SYMBOL, "exchange_is_open": 1, "is_trading_suspended": 0}
            ],
            "ticks": lambda _: tick_body(*venue.ticks[-1]),
            "transaction": lambda _: {},
            "proposal_open_contract": lambda _: {},
            "paper_lockstep": lambda _: 1,
        }
        self._quotes: dict[str, tuple[str, int, int]] = {}

    async def request(self, payload: Mapping[str, Any], timeout: float = 10.0) -> dict[str, Any]:  # noqa: ASYNC109
        await asyncio.sleep(0)
        if self.closed.is_set():
            raise NotConnected("closed")
        call = next(iter(payload))
        self.asked.append(payload)
        if call in self.venue.broken:
            raise DerivError("RateLimit", "broken on purpose", call)
        kind = "tick" if call == "ticks" else call
        return {kind: self.answers[call](payload), "msg_type": kind}

    async def subscribe(self, payload: Mapping[str, Any], timeout: float = 10.0) -> dict[str, Any]:  # noqa: ASYNC109
        first = await self.request(payload, timeout)
        self.subscribed.add(next(iter(payload)))
        return first

    async def enter_lockstep(self) -> dict[str, Any]:
        return await self.subscribe({"paper_lockstep": 1})

    def ack_instant(self, epoch: int) -> None:
        if self.closed.is_set():
            raise NotConnected("closed")
        self.venue.acknowledged.append(epoch)

    def start_buy(self, proposal_id: str, price_cents: int) -> asyncio.Future[dict[str, Any]]:
        if self.closed.is_set():
            raise NotConnected("closed")
        self.before_send(proposal_id)
        venue, future = self.venue, asyncio.get_running_loop().create_future()
        venue.frames.append(proposal_id)
        if proposal_id not in self._quotes:
            future.set_exception(DerivError("InvalidContractProposal", "Unknown contract proposal", "buy"))
            return future
        kind, stake, payout = self._quotes.pop(proposal_id)
        booked, delay, reply = venue.fates(venue.random)
        row = None
        if booked and delay:
            venue.book_later(delay, kind=kind, stake=stake, payout=payout)
        elif booked:
            row = venue.book(kind, stake, payout)
        if reply == "ok" and row is not None:
            future.set_result({"buy": self.answers["buy"](row), "msg_type": "buy"})
        elif reply == "bad":
            future.set_result({"buy": {"contract_id": "many"}, "msg_type": "buy"})
        elif reply == "lost" or (row is None and reply == "ok"):
            self.cut()
            future.set_exception(ConnectionLost("cut"))
        else:
            future.set_exception(DerivError(reply, "no", "buy"))
        return future

    def cut(self) -> None:
        """Break the connection; what was sent before is still in ``events``."""
        if not self.closed.is_set():
            self.closed.set()
            self.events.put_nowait(None)

    def end(self) -> None:
        """The stream ends here; what was sent before is handled while the connection still stands."""
        self.events.put_nowait(None)

    async def close(self) -> None:
        self.cut()

    def _statement(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        inside = [r for r in self.venue.visible() if payload["date_from"] <= r["transaction_time"] < payload["date_to"]]
        page = inside[::-1][: payload["limit"]]
        return {"count": len(page), "transactions": page}

    def _portfolio(self, _: Mapping[str, Any]) -> dict[str, Any]:
        bought = {r["contract_id"]: r for r in self.venue.visible() if r["action_type"] == "buy"}
        return {"contracts": [portfolio_row(bought[i]) for i in self.venue.open if i in bought]}

    def _proposal(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        stake = round(payload["amount"] * 100)
        payout = round(stake * PAYOUT_RATIO)
        quote = f"{self.generation:04d}-{self.venue.next_id():027d}"
        self._quotes[quote] = (payload["contract_type"], stake, payout)
        return {
            "id": quote,
            "ask_price": stake / 100,
            "payout": payout / 100,
            "spot": 640.12,
            "spot_time": int(self.venue.clock.now()),
            "date_start": int(self.venue.clock.now()),
            "longcode": "Win payout if",
        }


def receipt(row: Mapping[str, Any]) -> dict[str, Any]:
    """Body of the answer to a purchase with this cash row."""
    taken = {key: row[key] for key in ("contract_id", "transaction_id", "payout", "balance_after", "shortcode")}
    times = {"purchase_time": row["transaction_time"], "start_time": row["transaction_time"]}
    return taken | times | {"buy_price": -row["amount"], "longcode": "Win payout if"}


def portfolio_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The open contract that this cash row paid for, as ``portfolio`` lists it."""
    taken = {key: row[key] for key in ("contract_id", "transaction_id", "payout", "shortcode")}
    bought = {"buy_price": -row["amount"], "purchase_time": row["transaction_time"]}
    return taken | bought | {"underlying_symbol": SYMBOL, "contract_type": row["shortcode"].split("_")[0]}


def tick_body(epoch: int, quote: float) -> dict[str, Any]:
    """Body of a ``tick`` frame."""
    return {"symbol": SYMBOL, "epoch": epoch, "quote": quote, "pip_size": 2}


if TYPE_CHECKING:

    def _stand_in(
        fake: FakeConnection, real: DerivClient
    ) -> tuple[ReadingClient, TradingClient, VenueClient, VenueClient]:
        """The type checker refuses this function when the fake, or the real client, lacks something."""
        return fake, fake, fake, real
