"""Asks the venue what a contract costs now."""

from __future__ import annotations

from dataclasses import dataclass

from live_runner.config import Settings
from live_runner.journal.writer import Journal
from live_runner.trading.engine import Engine
from live_runner.trading.market import Spot
from live_runner.venue.client import ReadingClient
from xtitan_core.clock import Clock
from xtitan_core.contracts import Contract, ContractType, DurationUnit
from xtitan_core.decision import Quote
from xtitan_core.deriv import requests
from xtitan_core.deriv.errors import DerivClientError, DerivError
from xtitan_core.deriv.protocol import Proposal
from xtitan_core.journal import QuoteRecord


@dataclass(frozen=True, slots=True)
class QuoteAnswer:
    """A quote, or why there is none: the venue's error code, or the name of the client's error."""

    quote: Quote | None
    problem: str = ""


class Quoter:
    """Asks for quotes at the shadow stake."""

    def __init__(self, settings: Settings, clock: Clock, engine: Engine, journal: Journal) -> None:
        """Engine and journal take the quotes that are recorded while no model is loaded."""
        self._settings, self._clock, self._engine, self._journal = settings, clock, engine, journal

    async def ask(self, client: ReadingClient, contract: Contract, currency: str) -> QuoteAnswer:
        """One quote; a quote that is refused or does not come is an answer, not an error."""
        symbol, stake_cents = self._settings.symbol, self._settings.shadow_stake_cents
        payload = requests.proposal(symbol, contract, stake_cents, currency)
        try:
            proposal = Proposal.from_frame(await client.request(payload))
        except DerivError as error:
            return QuoteAnswer(None, error.code)
        except DerivClientError as error:
            return QuoteAnswer(None, type(error).__name__)
        kind, now = contract.contract_type, int(self._clock.now())
        return QuoteAnswer(Quote(kind, proposal.ask_cents, proposal.payout_cents, now, proposal.id))

    def due(self, epoch: int) -> bool:
        """True when a quote is recorded at this epoch while no model is loaded."""
        return epoch % self._settings.slot_seconds == 0

    async def record(self, client: ReadingClient, spot: Spot, currency: str) -> None:
        """Record one quote of a slot without models, rise and fall in turn: evidence later needs to know the price."""
        rise = spot.epoch // self._settings.slot_seconds % 2 == 0
        contract = Contract(
            ContractType.CALL if rise else ContractType.PUT,
            self._settings.quoted_duration,
            DurationUnit(self._settings.quoted_unit),
        )
        quote = (await self.ask(client, contract, currency)).quote
        if quote is None:
            return
        self._engine.count_quote()
        self._journal.add(
            QuoteRecord(
                epoch=quote.epoch,
                symbol=self._settings.symbol,
                spot=spot.quote,
                contract_type=contract.contract_type,
                duration=contract.duration,
                duration_unit=contract.unit,
                ask_cents=quote.ask_cents,
                payout_cents=quote.payout_cents,
            )
        )
