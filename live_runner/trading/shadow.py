"""Shadow trades: contracts we decided on and never sent, settled by the code that settles real ones.

A pure state machine: trades and ticks go in, settlements come out. It knows neither the gate nor the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from xtitan_core.contracts import Contract, ContractType, DurationUnit, settle
from xtitan_core.journal import ShadowSettlementRecord, ShadowTradeRecord


def contract_of(trade: ShadowTradeRecord) -> Contract:
    """The contract a shadow trade is about."""
    return Contract(ContractType(trade.contract_type), trade.duration, DurationUnit(trade.duration_unit))


class ShadowTrades:
    """Open shadow trades and the ticks needed to settle them."""

    def __init__(self) -> None:
        self._open: dict[str, ShadowTradeRecord] = {}
        self._epochs: list[int] = []
        self._quotes: list[float] = []

    def __len__(self) -> int:
        return len(self._open)

    @property
    def earliest_start(self) -> int | None:
        """Start second of the oldest open trade; ticks after it are needed."""
        return min((trade.epoch for trade in self._open.values()), default=None)

    def open(self, trade: ShadowTradeRecord) -> None:
        """Take a trade on.

        Raises:
            ValueError: when the same trade is already open.
        """
        if trade.trade_id in self._open:
            raise ValueError(f"shadow trade {trade.trade_id} is already open")
        self._open[trade.trade_id] = trade

    def restore(self, trades: Iterable[ShadowTradeRecord]) -> None:
        """Take on the trades a stopped runner left open, before any tick is replayed."""
        for trade in trades:
            self.open(trade)

    def tick(self, epoch: int, quote: float) -> list[ShadowSettlementRecord]:
        """Settle what this tick decides. Ticks at or before one already seen are ignored.

        Args:
            epoch: tick second, UTC.
            quote: tick price.

        Returns:
            Settlements in the order the trades were opened, stamped with this tick's epoch.
        """
        if not self._open:
            self._epochs.clear()
            self._quotes.clear()
            return []
        if self._epochs and epoch <= self._epochs[-1]:
            return []
        self._epochs.append(epoch)
        self._quotes.append(quote)
        epochs = np.array(self._epochs, dtype=np.int64)
        quotes = np.array(self._quotes, dtype=np.float64)
        settled = []
        for trade in list(self._open.values()):
            result = settle(contract_of(trade), trade.epoch, epochs, quotes)
            if result is None:
                continue
            del self._open[trade.trade_id]
            settled.append(
                ShadowSettlementRecord(
                    epoch=epoch,
                    trade_id=trade.trade_id,
                    bundle_id=trade.bundle_id,
                    outcome="refunded" if result.won is None else "won" if result.won else "lost",
                    entry_epoch=result.entry_epoch,
                    entry=result.entry,
                    exit_epoch=result.exit_epoch,
                    exit=result.exit,
                )
            )
        self._forget()
        return settled

    def _forget(self) -> None:
        start = self.earliest_start
        keep = 0
        while keep < len(self._epochs) and (start is None or self._epochs[keep] <= start):
            keep += 1
        del self._epochs[:keep]
        del self._quotes[:keep]
