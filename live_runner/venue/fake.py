"""A fake venue for tests: it can lose, delay and contradict, which the paper exchange cannot. Nothing else imports it.

``Venue`` is what is true (balance, rows, contracts); ``Connection`` is what a client sees of it. Everything runs on a
``ManualClock`` and a seeded generator.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from live_runner.guards.limits import Limits
from xtitan_core.clock import ManualClock
from xtitan_core.deriv.errors import ConnectionLost, DerivError, NotConnected
from xtitan_core.randomness import stream

START = 1_772_409_600  # 2026-03-02T00:00:00Z
ACCOUNT = "DOT90000001"
LIMITS = Limits(max_buys_per_minute=100, max_open_contracts=3, max_day_loss_cents=50_000)
FIVE_TICKS = 12


class Venue:
    """The truth: cash rows, contracts, and what fate has in store for each buy.

    Attributes:
        fates: called with the generator for each buy; returns ``(booked, delay in seconds, answer)`` where answer is
            ``ok``, ``lost`` (the connection dies) or an error code.
        lag: seconds until a booked row shows on statement and portfolio.
        frames: proposal ids of every purchase that reached the wire.
    """

    def __init__(self, seed: int = 1) -> None:
        self.clock = ManualClock(START)
        self.random = stream(seed, "venue")
        self.balance = 1_000_000
        self.rows: list[dict[str, Any]] = []
        self.open: dict[int, tuple[int, int, int]] = {}
        self.frames: list[str] = []
        self.fates: Callable[[np.random.Generator], tuple[bool, int, str]] = lambda _: (True, 0, "ok")
        self.lag = 0
        self.broken: set[str] = set()
        self._later: list[tuple[int, dict[str, Any]]] = []
        self._ids = 10_000
        self.on_row: Callable[[dict[str, Any]], None] = lambda _: None

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

    def book(self, kind: str, stake: int, payout: int) -> dict[str, Any]:
        """Book one purchase now."""
        now = int(self.clock.now())
        self._ids += 1
        contract_id = 5_000_000 + self._ids
        code = f"{kind}_R_100_{payout / 100:.2f}_{now}_5T_S0P_0"
        row = self._move("buy", contract_id, -stake, payout, code, None)
        self.open[contract_id] = (now + FIVE_TICKS, payout, row["transaction_id"])
        return row

    def book_later(self, seconds: int, **terms: Any) -> None:
        """Book one purchase after some seconds: the back end was slow."""
        self._later.append((int(self.clock.now()) + seconds, terms))

    def deposit(self, cents: int) -> None:
        """Money from outside."""
        self._move("deposit", None, cents, None, None, None)

    def _move(
        self, action: str, contract_id: int | None, cents: int, payout: int | None, code: str | None, buy: int | None
    ) -> dict[str, Any]:
        self._ids += 1
        self.balance += cents
        row = {
            "action_type": action,
            "transaction_id": self._ids,
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
        return row

    def bought(self) -> set[int]:
        """Contract ids of every purchase that really happened."""
        return {row["contract_id"] for row in self.rows if row["action_type"] == "buy"}

    def connect(self, generation: int) -> Connection:
        """A new connection; quotes of older ones are worthless on it."""
        return Connection(self, generation)


class Connection:
    """One connection to ``Venue`` with the face of ``DerivClient``."""

    def __init__(self, venue: Venue, generation: int) -> None:
        self.venue, self.generation = venue, generation
        self.closed = asyncio.Event()
        self._quotes: dict[str, tuple[str, int, int]] = {}
        self.before_send: Callable[[str], None] = lambda _: None

    async def request(self, payload: dict[str, Any], timeout: float = 10.0) -> dict[str, Any]:  # noqa: ASYNC109
        await asyncio.sleep(0)
        if self.closed.is_set():
            raise NotConnected("closed")
        call = next(iter(payload))
        if call in self.venue.broken:
            raise DerivError("RateLimit", "broken on purpose", call)
        answer = getattr(self, f"_{call}")(payload)
        return {call: answer, "msg_type": call}

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
            future.set_result({"buy": self._receipt(row), "msg_type": "buy"})
        elif reply == "bad":
            future.set_result({"buy": {"contract_id": "many"}, "msg_type": "buy"})
        elif reply == "lost" or (row is None and reply == "ok"):
            self.close()
            future.set_exception(ConnectionLost("cut"))
        else:
            future.set_exception(DerivError(reply, "no", "buy"))
        return future

    def close(self) -> None:
        self.closed.set()

    @staticmethod
    def _receipt(row: dict[str, Any]) -> dict[str, Any]:
        return {
            "contract_id": row["contract_id"],
            "transaction_id": row["transaction_id"],
            "buy_price": -row["amount"],
            "payout": row["payout"],
            "balance_after": row["balance_after"],
            "purchase_time": row["transaction_time"],
            "start_time": row["transaction_time"],
            "shortcode": row["shortcode"],
            "longcode": "Win payout if",
        }

    def _time(self, _: dict[str, Any]) -> int:
        return int(self.venue.clock.now())

    def _balance(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"balance": self.venue.balance / 100, "currency": "USD", "loginid": ACCOUNT}

    def _visible(self) -> list[dict[str, Any]]:
        return [r for r in self.venue.rows if r["transaction_time"] + self.venue.lag <= self.venue.clock.now()]

    def _statement(self, payload: dict[str, Any]) -> dict[str, Any]:
        inside = [r for r in self._visible() if payload["date_from"] <= r["transaction_time"] < payload["date_to"]]
        page = inside[::-1][: payload["limit"]]
        return {"count": len(page), "transactions": page}

    def _portfolio(self, _: dict[str, Any]) -> dict[str, Any]:
        visible = {r["contract_id"]: r for r in self._visible() if r["action_type"] == "buy"}
        return {
            "contracts": [
                {
                    "contract_id": i,
                    "transaction_id": visible[i]["transaction_id"],
                    "underlying_symbol": "R_100",
                    "contract_type": visible[i]["shortcode"].split("_")[0],
                    "buy_price": -visible[i]["amount"],
                    "payout": visible[i]["payout"],
                    "purchase_time": visible[i]["transaction_time"],
                    "shortcode": visible[i]["shortcode"],
                }
                for i in self.venue.open
                if i in visible
            ]
        }

    def _proposal(self, payload: dict[str, Any]) -> dict[str, Any]:
        stake = round(payload["amount"] * 100)
        payout = round(stake * 1.953)
        self.venue._ids += 1
        quote = f"{self.generation:04d}-{self.venue._ids:027d}"
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
