"""One contract from purchase to settlement, following the ticks of its symbol."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from paper_exchange.pricing import Price
from paper_exchange.terms import Terms
from xtitan_core.contracts import TICK_CONTRACT_LIMIT_SECONDS, Contract, Settlement, settle


@dataclass(slots=True, eq=False)
class OpenContract:
    """A bought contract.

    Attributes:
        contract_id, buy_id: the contract's and its purchase's numbers.
        contract: type and duration as bought.
        start: purchase second.
        epochs, quotes: the ticks strictly after ``start`` and up to its end, as they came.
        settlement: how it ended, None while it is open.
        sold_for: what the account received, None while it is open.
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
    answered: bool = False

    @property
    def shortcode(self) -> str:
        return self.terms.shortcode(self.price.payout, self.start)

    @property
    def longcode(self) -> str:
        return self.terms.longcode

    @property
    def entry(self) -> tuple[int, float] | None:
        """Epoch and quote of the entry tick, None before it."""
        return (self.epochs[0], self.quotes[0]) if self.epochs else None

    @property
    def end(self) -> int:
        """Epoch of the end; for a duration in ticks the one expected from the tick grid until it is known."""
        if not self.contract.in_ticks:
            return self.start + self.contract.seconds
        if self.settlement is not None:
            return self.settlement.exit_epoch
        step = self.terms.symbol.tick_seconds
        entry = self.epochs[0] if self.epochs else (self.start // step + 1) * step
        return entry + self.contract.duration * step

    @property
    def status(self) -> str:
        """Deriv's status: open, won, lost, or cancelled for a refund."""
        if self.sold_for is None:
            return "open"
        if self.settlement is None or self.settlement.won is None:
            return "cancelled"
        return "won" if self.settlement.won else "lost"

    def on_tick(self, epoch: int, quote: float) -> bool:
        """Follow one tick; True when the contract is over (``settlement`` is then set, or it is to be refunded)."""
        self.epochs.append(epoch)
        self.quotes.append(quote)
        if self.contract.in_ticks:
            late = epoch - self.start > TICK_CONTRACT_LIMIT_SECONDS
            if not late and len(self.epochs) <= self.contract.duration:
                return False
        elif epoch <= self.start + self.contract.seconds:
            return False
        self.settlement = settle(
            self.contract,
            self.start,
            np.asarray(self.epochs, dtype=np.int64),
            np.asarray(self.quotes, dtype=np.float64),
            self.terms.symbol.decimals,
        )
        return True

    def proceeds(self) -> Decimal:
        """What the account receives at the end: payout, nothing, or the stake back."""
        if self.settlement is None or self.settlement.won is None:
            return self.price.ask
        return self.price.payout if self.settlement.won else Decimal("0.00")
