"""One contract from purchase to settlement, following the ticks of its symbol."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from paper_exchange.contracts.pricing import Price
from paper_exchange.contracts.terms import Terms
from xtitan_core.contracts import (
    DIGITS,
    PATH,
    TICK_CONTRACT_LIMIT_SECONDS,
    Contract,
    Settlement,
    barriers,
    settle,
)


@dataclass(slots=True, eq=False)
class OpenContract:
    """A bought contract.

    Attributes:
        contract_id, buy_id: the contract's and its purchase's numbers.
        contract: type and duration as bought.
        start: purchase second.
        spot, spot_time: the tick the purchase was priced at.
        epochs, quotes: the ticks strictly after ``start`` and up to its end, as they came.
        settlement: how it ended, None while it is open and for one that was sold back.
        sold_for: what the account received, None while it is open.
        resale: the tick it was sold back at before its end, else None.
        answered: True once the buy's answer was handed to its socket.
    """

    contract_id: int
    buy_id: int
    account_id: str
    terms: Terms
    contract: Contract
    price: Price
    commission: float
    start: int
    spot: float
    spot_time: int
    epochs: list[int] = field(default_factory=list)
    quotes: list[float] = field(default_factory=list)
    settlement: Settlement | None = None
    sold_for: Decimal | None = None
    sell_id: int | None = None
    sell_time: int | None = None
    resale: tuple[int, float] | None = None
    answered: bool = False
    _upper: float = float("inf")
    """The path touches at this level and above; known with the entry tick."""
    _lower: float = float("-inf")
    shortcode: str = field(init=False)
    """Deriv's compact name."""

    def __post_init__(self) -> None:
        self.shortcode = self.terms.shortcode(self.price.payout, self.start)

    @property
    def longcode(self) -> str:
        """Deriv's sentence."""
        return self.terms.longcode

    @property
    def entry(self) -> tuple[int, float] | None:
        """Epoch and quote of the entry tick, None before it."""
        return (self.epochs[0], self.quotes[0]) if self.epochs else None

    @property
    def end(self) -> int:
        """Epoch of the end; of a duration in ticks, until it is known, the one that the tick grid gives."""
        if not self.contract.in_ticks:
            return self.start + self.contract.seconds
        if self.settlement is not None:
            return self.settlement.exit_epoch
        step = self.terms.symbol.tick_seconds
        entry = self.epochs[0] if self.epochs else (self.start // step + 1) * step
        return entry + self._ticks_after_entry * step

    @property
    def _ticks_after_entry(self) -> int:
        """Digits count the entry tick as the first."""
        return self.contract.duration - (self.contract.contract_type in DIGITS)

    @property
    def exit(self) -> tuple[int, float] | None:
        """Epoch and quote of the tick that decided it, or that it was sold back at; None while there is none."""
        if self.settlement is not None:
            return self.settlement.exit_epoch, self.settlement.exit
        return self.resale

    @property
    def levels(self) -> tuple[float | None, float | None]:
        """Barrier levels (upper, lower) as settlement has them; offsets count from the entry, so None before it."""
        if self.entry is None and not self.contract.absolute:
            return None, None
        origin = self.spot if self.entry is None else self.entry[1]
        upper, lower = barriers(self.contract, origin, self.terms.symbol.decimals)
        return None if upper is None else float(upper), None if lower is None else float(lower)

    @property
    def status(self) -> str:
        """Deriv's status: open, won, lost, sold, or cancelled for a refund."""
        if self.sold_for is None:
            return "open"
        if self.resale is not None:
            return "sold"
        if self.settlement is None or self.settlement.won is None:
            return "cancelled"
        return "won" if self.settlement.won else "lost"

    def on_tick(self, epoch: int, quote: float) -> bool:
        """Follow one tick; True when the contract is over (``settlement`` is then set, or it is to be refunded).

        A contract on the path is over with the tick that touches. Here a tick costs one comparison; settlement itself
        goes through all ticks once, at the end.
        """
        if not self.epochs:
            self._watch(quote)
        self.epochs.append(epoch)
        self.quotes.append(quote)
        if self.contract.in_ticks:
            ended = len(self.epochs) > self._ticks_after_entry or epoch - self.start > TICK_CONTRACT_LIMIT_SECONDS
        else:
            ended = epoch > self.start + self.contract.seconds
        if not ended and self._lower < quote < self._upper:
            return False
        self.settlement = settle(
            self.contract,
            self.start,
            np.asarray(self.epochs, dtype=np.int64),
            np.asarray(self.quotes, dtype=np.float64),
            self.terms.symbol.decimals,
        )
        return True

    def _watch(self, entry: float) -> None:
        if self.contract.contract_type not in PATH:
            return
        upper, lower = barriers(self.contract, entry, self.terms.symbol.decimals)
        if upper is not None:
            self._upper = float(upper)
        if lower is not None:
            self._lower = float(lower)

    def proceeds(self) -> Decimal:
        """What the account receives at the end: payout, nothing, or the stake back."""
        if self.settlement is None or self.settlement.won is None:
            return self.price.ask
        return self.price.payout if self.settlement.won else Decimal("0.00")
