"""One socket as the venue sees it: its account, its subscriptions, the prices it was given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from paper_exchange.contracts.terms import Terms
from paper_exchange.errors import CallError
from paper_exchange.protocol.frames import Frame, encode
from paper_exchange.venue.accounts import Account

MAX_SUBSCRIPTIONS = 100
MAX_PROPOSALS = 1_000


@dataclass(frozen=True, slots=True)
class Stream:
    """What a client can subscribe to; a connection has each only once.

    Attributes:
        kind: the word ``forget_all`` uses.
        parameters: what tells it from the other streams of its kind.
        msg_type: of its frames; the kind where it is not named.
        label: its name in the AlreadySubscribed message; the kind where it is not named.
        symbol: whose ticks cause its frames, None for none.
        contract_id: the one contract it follows, None for all or none.
        granularity: of candles, seconds.
    """

    kind: str
    parameters: tuple[Any, ...] = ()
    msg_type: str | None = None
    label: str | None = None
    symbol: str | None = None
    contract_id: int | None = None
    granularity: int = 0

    def same_as(self, other: Stream) -> bool:
        """Whether the two are one stream to the client."""
        return self.kind == other.kind and self.parameters == other.parameters


@dataclass(slots=True)
class Subscription:
    """A stream that a request opened; every frame of it repeats the request.

    Attributes:
        head: the members every frame starts with.
        opening: ``head`` as text, its closing brace left out.
    """

    subscription_id: str
    stream: Stream
    head: Frame
    candle: list[float] = field(default_factory=list)
    """Open time, open, high, low, close of the candle being built."""
    opening: str = field(init=False)

    def __post_init__(self) -> None:
        self.opening = encode(self.head)[:-1]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A price given to this connection, to be bought once."""

    proposal_id: str
    terms: Terms
    ask: Decimal
    payout: Decimal
    epoch: int
    subscription_id: str | None = None
    probability: float = 0.0
    """The probability the price was made with."""
    used: bool = False
    """Bought already; only the next price of its stream can be bought."""


@dataclass(slots=True, eq=False)
class Connection:
    """A socket.

    Attributes:
        account: the account its one-time password was for, None on the public socket.
        app_id: the Deriv-App-ID the password was asked with, when that is a number.
        address: where a public socket comes from, None when that is not known.
        silent: True once a fault keeps everything from it; it stays open.
        deaf: True once a fault keeps everything it sends from the venue.
    """

    number: int
    account: Account | None
    app_id: int | None = None
    address: str | None = None
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    silent: bool = False
    deaf: bool = False

    def of_kind(self, kind: str) -> Iterator[Subscription]:
        """Subscriptions of one kind, oldest first."""
        return (s for s in self.subscriptions.values() if s.stream.kind == kind)

    def check_new(self, stream: Stream, count: int = 1) -> None:
        """Refuse a duplicate, or too many subscriptions.

        Args:
            stream: the new one.
            count: how many are wanted together.

        Raises:
            CallError: AlreadySubscribed or RateLimit.
        """
        if any(stream.same_as(s.stream) for s in self.subscriptions.values()):
            raise CallError("AlreadySubscribed", f"You are already subscribed to {stream.label or stream.kind}")
        if len(self.subscriptions) + count > MAX_SUBSCRIPTIONS:
            raise CallError("RateLimit", f"You have reached the limit of {MAX_SUBSCRIPTIONS} active subscriptions.")

    def remember(self, proposal: Proposal) -> None:
        """Keep a price for buying; when there are too many, the oldest one without a stream is dropped."""
        self.proposals[proposal.proposal_id] = proposal
        while len(self.proposals) > MAX_PROPOSALS:
            self.proposals.pop(next(key for key, held in self.proposals.items() if held.subscription_id is None))
