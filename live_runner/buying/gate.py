"""The outbound gate: every purchase of this program goes through it.

    PREPARED (reserves the stake) -> quote -> checks -> SENT (on the disk) -> recheck -> one send -> outcome

``_commit_and_send`` is an ordinary function, not a coroutine: no other task runs between the last checks and the socket
write. The gate never re-sends. Every outcome that is neither a contract nor one of ``FINAL_REFUSALS`` is UNKNOWN; while
anything is unknown nothing else is bought, and ``reconcile.recovery`` resolves it from the venue's own records.
"""

from __future__ import annotations

import asyncio
from typing import Any

from live_runner.buying.purchase import GateReason, Outcome, Purchase
from live_runner.guards.latch import KillLatch
from live_runner.guards.limits import LimitBreach, Limits, check
from live_runner.ledger import (
    Booked,
    Booking,
    CashRow,
    IllegalTransitionError,
    Ledger,
    LedgerError,
    LedgerFaultError,
    Order,
    Receipt,
)
from live_runner.reconcile.report import RecoveryReport
from live_runner.venue.client import TradingClient
from xtitan_core.clock import Clock, midnight
from xtitan_core.decision import Quote, decide
from xtitan_core.deriv import requests
from xtitan_core.deriv.errors import DerivClientError, DerivError, FrameError, NotSent
from xtitan_core.deriv.protocol import BuyReceipt, Proposal

FINAL_REFUSALS = frozenset(
    {
        "InputValidationFailed",
        "InvalidContractProposal",
        "PriceMoved",
        "InsufficientBalance",
        "ContractBuyValidationError",
        "MarketIsClosed",
        "RateLimit",
        "InvalidToken",
        "Unauthorized",
    }
)
"""Codes that prove, for the first and only send of a proposal on its own connection, that nothing was bought."""


ROUNDING = 1e-9
"""Ratios of whole cents differ by at least a thousand times this: it only absorbs binary fractions."""


class Gate:
    """The gate of one account.

    It starts closed, and opens for one connection at a time, when ``recover`` has shown that ledger and venue agree.
    """

    def __init__(
        self, ledger: Ledger, latch: KillLatch, limits: Limits, clock: Clock, *, answer_timeout_s: float = 10.0
    ) -> None:
        self._ledger, self._latch, self._limits, self._clock = ledger, latch, limits, clock
        self._answer_timeout_s = answer_timeout_s
        self._armed: int | None = None
        self._stopped = False
        self._busy = False
        self._unowned: list[CashRow] = []

    @property
    def armed(self) -> bool:
        """True when the present connection has been reconciled; when False, run ``recover`` and ``arm``."""
        return self._armed is not None

    def arm(self, report: RecoveryReport) -> bool:
        """Open for the connection that was just reconciled; stays closed when the report is not ready."""
        self._armed = report.generation if report.ready else None
        return self.armed

    def disarm(self) -> None:
        """Close until the next successful recovery: the connection was lost, or rows are missing."""
        self._armed = None

    def stop(self) -> None:
        """Buy nothing any more, for the rest of this process."""
        self._stopped = True

    def book(self, row: CashRow) -> Booking:
        """Book one row of the transaction stream.

        A row that leaves a gap, or a purchase that no intent owns, closes the gate until ``recover`` has judged it.

        Raises:
            LedgerFaultError: storage failed, or the row contradicts the ledger; the latch is halted, exit non-zero.
        """
        try:
            booking = self._ledger.cash.book(row, self._clock.now())
            if booking.result is Booked.GAP:
                self.disarm()
            elif booking and row.action == "buy":
                self._unowned.append(row)
                if not self._busy:
                    self._check_owners()
            return booking
        except LedgerError as error:
            raise self._fault(error) from error

    async def purchase(self, client: TradingClient, order: Order, tick_age: float) -> Purchase:
        """Try to turn one decision into one contract.

        Args:
            client: the trading connection that was reconciled.
            order: what to buy and at what terms.
            tick_age: venue seconds since the newest tick of the order's symbol.

        Returns:
            What happened; see ``Purchase``.

        Raises:
            LedgerFaultError: storage failed; the latch is halted, exit non-zero and let the next start verify.
        """
        if self._busy:
            return Purchase(Outcome.BLOCKED, GateReason.IN_FLIGHT)
        self._busy = True
        try:
            purchase = await self._purchase(client, order, tick_age)
            self._check_owners()
            return purchase
        except LedgerFaultError as error:
            raise self._fault(error) from error
        finally:
            self._busy = False

    async def _purchase(self, client: TradingClient, order: Order, tick_age: float) -> Purchase:
        began = self._clock.now()
        refusal = self._refusal(client, order, tick_age, 0)
        if refusal is None and self._ledger.intents.unresolved():
            refusal = GateReason.UNRESOLVED
        if refusal is not None:
            return Purchase(Outcome.BLOCKED, refusal)
        try:
            intent_id = self._ledger.intents.prepare(order, began)
        except IllegalTransitionError:
            return Purchase(Outcome.BLOCKED, GateReason.TRIED_BEFORE)
        try:
            frame = await client.request(
                requests.proposal(order.symbol, order.contract, order.stake_cents, order.currency)
            )
            proposal = Proposal.from_frame(frame)
        except DerivError as error:
            return self._abandoned(intent_id, f"{GateReason.QUOTE_REFUSED}:{error.code}")
        except FrameError:
            return self._abandoned(intent_id, GateReason.QUOTE_INVALID)
        except (DerivClientError, ValueError):
            return self._abandoned(intent_id, GateReason.QUOTE_UNANSWERED)
        except asyncio.CancelledError:
            self._abandoned(intent_id, GateReason.CANCELLED)
            raise
        quote = Quote(order.contract.contract_type, proposal.ask_cents, proposal.payout_cents, int(began), proposal.id)
        refusal, edge = self._judge(order, quote, self._clock.now() - began)
        if refusal is not None:
            return self._abandoned(intent_id, refusal, quote, edge)
        answer = self._commit_and_send(client, order, intent_id, quote, began, tick_age)
        if isinstance(answer, Purchase):
            return answer
        return await self._outcome(answer, intent_id, order, quote, edge)

    def _judge(self, order: Order, quote: Quote, round_trip: float) -> tuple[str | None, float | None]:
        """Whether the fresh quote is as good as the decision assumed: ``(why not, edge)``."""
        decision = decide({order.contract.contract_type: order.probability}, quote, order.min_edge)
        if not 0.0 <= round_trip <= self._limits.max_rtt_s:
            return GateReason.SLOW_ANSWER, decision.edge
        if not quote.ask_cents <= order.stake_cents:
            return GateReason.OVER_STAKE, decision.edge
        if not decision.buy:
            return decision.reason, decision.edge
        if not abs(quote.ratio - order.expected_ratio) <= self._limits.ratio_tolerance + ROUNDING:
            return GateReason.RATIO_MOVED, decision.edge
        return None, decision.edge

    def _commit_and_send(
        self, client: TradingClient, order: Order, intent_id: int, quote: Quote, asked: float, tick_age: float
    ) -> asyncio.Future[dict[str, Any]] | Purchase:
        """SENT on the disk, the last checks, one frame. Not a coroutine: see the head of this module."""
        refusal = self._last_check(client, order, intent_id, asked, tick_age)
        if refusal is not None:
            return self._abandoned(intent_id, refusal, quote)
        try:
            self._ledger.intents.mark_sent(
                intent_id,
                proposal_id=quote.proposal_id,
                generation=client.generation,
                ask_cents=quote.ask_cents,
                payout_cents=quote.payout_cents,
                now=self._clock.now(),
            )
        except IllegalTransitionError:
            return self._abandoned(intent_id, GateReason.LEDGER_REFUSED, quote)
        refusal = self._last_check(client, order, intent_id, asked, tick_age)  # the commit took time
        if refusal is not None:
            return self._not_sent(intent_id, refusal, quote)
        try:
            return client.start_buy(quote.proposal_id, order.stake_cents)
        except NotSent as error:
            return self._not_sent(intent_id, type(error).__name__, quote)
        except Exception as error:  # whatever the error, the frame may have been sent
            return self._unknown(intent_id, type(error).__name__, quote)

    def _last_check(
        self, client: TradingClient, order: Order, intent_id: int, asked: float, tick_age: float
    ) -> str | None:
        """All refusals again, with the ages that the quote and the tick have by now."""
        age = self._clock.now() - asked
        refusal = self._refusal(client, order, tick_age + age, intent_id)
        if refusal is None and not 0.0 <= age <= self._limits.max_quote_age_s:
            return GateReason.QUOTE_STALE
        return refusal

    def _refusal(self, client: TradingClient, order: Order, tick_age: float, intent_id: int) -> str | None:
        """Everything that forbids this order right now, read afresh; ``intent_id`` is its own reservation."""
        now = self._clock.now()
        if self._stopped:
            return GateReason.STOPPING
        if self._latch.poll():
            return GateReason.HALTED
        if self._armed is None or client.generation != self._armed or client.closed.is_set():
            return GateReason.NOT_RECOVERED
        breach = check(self._ledger.snapshot(now, tick_age, intent_id), order.stake_cents, self._limits)
        if breach is LimitBreach.DAY_LOSS:
            self._ledger.stop_day(midnight(now), now)
        return breach

    async def _outcome(
        self, answer: asyncio.Future[dict[str, Any]], intent_id: int, order: Order, quote: Quote, edge: float | None
    ) -> Purchase:
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                receipt = BuyReceipt.from_frame(await answer)
        except DerivError as error:
            if error.code not in FINAL_REFUSALS:
                return self._unknown(intent_id, error.code, quote, edge)
            self.disarm()  # until a statement confirms it
            intent = self._ledger.intents.rejected(intent_id, error.code, self._clock.now())
            return Purchase(Outcome.REJECTED, error.code, intent, quote, edge)
        except FrameError:
            return self._unknown(intent_id, GateReason.BAD_ANSWER, quote, edge)
        except asyncio.CancelledError:
            self._unknown(intent_id, GateReason.CANCELLED, quote, edge)
            raise
        except Exception:  # a timeout, a lost connection, or anything unforeseen: it may have been bought
            return self._unknown(intent_id, GateReason.NO_ANSWER, quote, edge)
        proof = Receipt(
            receipt.contract_id,
            receipt.transaction_id,
            receipt.buy_cents,
            receipt.payout_cents,
            receipt.purchase_time,
        )
        try:
            intent = self._ledger.intents.opened(intent_id, proof, self._clock.now())
        except IllegalTransitionError as error:
            self._latch.halt(f"the answer to intent {intent_id} contradicts the ledger: {error}", "gate")
            return self._unknown(intent_id, GateReason.BAD_ANSWER, quote, edge)
        if receipt.buy_cents > quote.ask_cents or receipt.payout_cents < quote.payout_cents:
            self._latch.halt(
                f"contract {receipt.contract_id} cost {receipt.buy_cents} and pays {receipt.payout_cents} cents, "
                f"quoted {quote.ask_cents} and {quote.payout_cents}",
                "gate",
            )
        return Purchase(Outcome.BOUGHT, GateReason.ANSWERED, intent, quote, edge, receipt)

    def _abandoned(
        self, intent_id: int, reason: str, quote: Quote | None = None, edge: float | None = None
    ) -> Purchase:
        intent = self._ledger.intents.abandon(intent_id, reason, self._clock.now())
        return Purchase(Outcome.ABANDONED, reason, intent, quote, edge)

    def _not_sent(self, intent_id: int, reason: str, quote: Quote) -> Purchase:
        """Marked as sent, then stopped by a last check: reserved until a statement confirms that nothing exists."""
        intent = self._ledger.intents.rejected(intent_id, f"not sent: {reason}", self._clock.now())
        self.disarm()
        return Purchase(Outcome.REJECTED, reason, intent, quote)

    def _unknown(self, intent_id: int, reason: str, quote: Quote, edge: float | None = None) -> Purchase:
        self.disarm()
        intent = self._ledger.intents.unknown(intent_id, reason, self._clock.now())
        return Purchase(Outcome.UNKNOWN, reason, intent, quote, edge)

    def _check_owners(self) -> None:
        """A purchase on the account that no intent owns is for ``recover`` to judge, before anything else is bought."""
        if not all(self._ledger.cash.is_bound(row) for row in self._unowned):
            self.disarm()
        self._unowned.clear()

    def _fault(self, error: LedgerError) -> LedgerFaultError:
        self.disarm()
        self._latch.halt(f"ledger: {error}", "gate")
        return error if isinstance(error, LedgerFaultError) else LedgerFaultError(str(error))
