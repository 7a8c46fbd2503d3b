"""What may interfere with the venue: the questions it and its calls ask of faults before they go on.

A venue asks the ``Hooks`` it is bound to and knows nothing else of faults. Unless some are bound, it asks
``Undisturbed``, whose answers change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.protocol.frames import Frame
from paper_exchange.venue.accounts import Account, CashRow
from paper_exchange.venue.connections import Connection
from xtitan_core.symbols import Symbol

ShownTick = tuple[Symbol, int, float]
"""A tick as subscribers see it: the symbol with the decimals shown, epoch, quote."""


class Hooks(Protocol):
    """Where something may go wrong with a venue."""

    @property
    def fired(self) -> Sequence[Mapping[str, Any]]:
        """The faults that happened so far, oldest first."""
        ...

    def incoming(self, connection: Connection, call: str, request: Frame) -> bool:
        """A call arrived; True when the venue must not act on it now."""
        ...

    def outgoing(self, connection: Connection, frame: Frame, /) -> bool:
        """Queue a frame; False when it does not arrive now and in full."""
        ...

    def encoded(self, connection: Connection, text: str, /) -> bool:
        """Queue a frame that is encoded already; False when it does not arrive now and in full."""
        ...

    def ticks(self, symbol: Symbol, epoch: int, quote: float) -> Iterable[ShownTick]:
        """A symbol ticked; the ticks its subscribers are sent."""
        ...

    def rows(self, account: Account, request: Frame) -> Iterable[CashRow]:
        """An account's statement as this request reads it, newest first."""
        ...

    def positions(self, account: Account, call: str) -> Iterable[OpenContract]:
        """The contracts ``portfolio`` reads as open, or ``profit_table`` as closed, oldest first."""
        ...

    def proceeds(self, contract: OpenContract) -> Decimal:
        """What a contract that is over pays."""
        ...

    def next_due(self) -> int | None:
        """The epoch at which the next fault happens by itself, None without one."""
        ...

    def due(self) -> None:
        """An instant has come and its ticks are sent: do what waited for it."""
        ...


class Undisturbed:
    """Hooks of a venue without faults.

    Args:
        put: queues an item for a connection and returns True.
    """

    def __init__(self, put: Callable[[Connection, Frame | str], bool]) -> None:
        self.fired: tuple[Mapping[str, Any], ...] = ()
        self.outgoing: Callable[[Connection, Frame], bool] = put
        self.encoded: Callable[[Connection, str], bool] = put

    def incoming(self, connection: Connection, call: str, request: Frame) -> bool:
        return False

    def ticks(self, symbol: Symbol, epoch: int, quote: float) -> tuple[ShownTick, ...]:
        return ((symbol, epoch, quote),)

    def rows(self, account: Account, request: Frame) -> Iterable[CashRow]:
        return account.newest_first()

    def positions(self, account: Account, call: str) -> Iterable[OpenContract]:
        return account.open.values() if call == "portfolio" else account.contracts.values()

    def proceeds(self, contract: OpenContract) -> Decimal:
        return contract.proceeds()

    def next_due(self) -> int | None:
        return None

    def due(self) -> None:
        return None
