"""The terms of a contract that a client asks a price for, checked against what the exchange offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from paper_exchange.contracts.barriers import NO_BARRIERS, Barriers, check_against_spot, read_barriers
from paper_exchange.contracts.longcodes import longcode, shortcode
from paper_exchange.contracts.offerings import Offer, offer
from paper_exchange.errors import CallError
from paper_exchange.markets.calendar import ALWAYS_OPEN, CLOSED, Calendar
from xtitan_core.clock import DAY
from xtitan_core.contracts import TOUCH, UNIT_SECONDS, Contract, ContractType, DurationUnit
from xtitan_core.symbols import Symbol

NIGHT_SECONDS = 5 * 3_600
"""Forex contracts shorter than this are not sold at night (refusal seen in 2026)."""

_NOT_FOR_OPTIONS = ("multiplier", "growth_rate", "limit_order", "cancellation", "payout_per_point", "selected_tick")


@dataclass(frozen=True, slots=True)
class Terms:
    """A contract before it is bought.

    Attributes:
        symbol: the underlying.
        contract: the conditions as asked for at ``quoted``; ``at`` gives those a purchase counts with.
        basis: "stake" or "payout".
        amount: stake or payout in the account's currency, at most two decimals.
        quoted: epoch they were asked for at.
        fixed_end: epoch of the end when the client named one, else None.
        bounds: barriers or digit as the client meant them.
        daily: the contract ends with a trading day.
        calendar: the market's opening hours.
        longcode: Deriv's sentence for the contract.
    """

    symbol: Symbol
    contract: Contract
    basis: str
    amount: Decimal
    quoted: int = 0
    fixed_end: int | None = None
    bounds: Barriers = NO_BARRIERS
    daily: bool = False
    calendar: Calendar = ALWAYS_OPEN
    longcode: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        close = self.end(self.quoted) if self.daily else None
        sentence = longcode(self.symbol, self.contract, self.bounds, close=close, fixed=self.fixed_end)
        object.__setattr__(self, "longcode", sentence)

    @property
    def barriers(self) -> tuple[str, ...]:
        """Barriers or digit as the client wrote them, the upper one first."""
        return self.bounds.texts

    @property
    def timeless(self) -> bool:
        """True when neither the time nor the spot at which they are asked for makes a difference."""
        sized = self.contract.unit is not DurationUnit.DAYS and self.fixed_end is None
        return sized and self.bounds.first is None and self.calendar is ALWAYS_OPEN

    def end(self, start: int) -> int | None:
        """Epoch at which a purchase at ``start`` ends; None for a duration in ticks."""
        if self.contract.in_ticks:
            return None
        if self.fixed_end is not None:
            return self.fixed_end
        if self.daily:
            return self.calendar.trading_day_end(start, self.contract.duration)
        return start + self.contract.seconds

    def at(self, start: int, spot: float) -> Contract:
        """The contract as it counts when bought at ``start`` with the market at ``spot``.

        A fixed or daily end becomes a duration in seconds. For an absolute touch barrier it is noted on which side of
        the spot it lies.

        Raises:
            CallError: when the end has come too close meanwhile, or the spot too close to a barrier.
        """
        contract = self.contract
        if self.bounds.first is None and self.fixed_end is None and not self.daily:
            return contract
        if self.bounds.first is not None:
            check_against_spot(contract.contract_type, self.bounds, self.symbol, spot)
        if self.fixed_end is None and not self.daily:
            duration, unit = contract.duration, contract.unit
        else:
            end = self.end(start)
            assert end is not None
            duration, unit = end - start, DurationUnit.SECONDS
            # The end is fixed, and a streamed price can be held until it is near.
            if duration <= DAY:
                check_intraday(offer(self.symbol, contract.contract_type), duration)
        return _contract(contract.contract_type, duration, unit, self.bounds, spot)

    def restamped(self, start: int) -> Terms:
        """The same terms asked for at ``start``; the trading day they end with may differ, and with it the longcode."""
        if not self.daily or start == self.quoted:
            return self
        return Terms(
            self.symbol, self.contract, self.basis, self.amount, start, self.fixed_end, self.bounds, True, self.calendar
        )

    def shortcode(self, payout: Decimal, start: int) -> str:
        """Deriv's compact name for the contract bought at ``start``."""
        fixed = self.fixed_end is not None
        return shortcode(self.symbol, self.contract, self.bounds, payout, start, self.end(start), fixed=fixed)


def named_symbol(request: Mapping[str, Any], symbols: Mapping[str, Symbol]) -> Symbol:
    """The symbol a request names.

    Raises:
        CallError: OfferingsInvalidSymbol.
    """
    name = request["underlying_symbol"]
    if name not in symbols:
        raise CallError("OfferingsInvalidSymbol", f"Symbol {name} is invalid.", {"field": "underlying_symbol"})
    return symbols[name]


def parse_terms(
    request: Mapping[str, Any],
    symbol: Symbol,
    now: int,
    currency: str,
    *,
    spot: float,
    calendar: Calendar = ALWAYS_OPEN,
    rolling_days: bool = False,
) -> Terms:
    """Read the contract out of a ``proposal`` request or the ``parameters`` of a ``buy``.

    Args:
        request: passed its schema; names ``symbol``.
        now: venue second.
        currency: of the account.
        spot: the symbol's latest quote.
        calendar: its opening hours.
        rolling_days: a day is 24 hours from the start, not the rest of today and the days after.

    Raises:
        CallError: with Deriv's code for what is not offered.
    """
    offered = offer(symbol, request["contract_type"])
    kind = ContractType(request["contract_type"])
    for extra in _NOT_FOR_OPTIONS:
        if extra in request:
            raise CallError("ContractBuyValidationError", f"{extra} is not valid for {kind}.", {"field": extra})
    if request["currency"] != currency:
        raise CallError(
            "ContractBuyValidationError", f"Currency must be {currency} for this account.", {"field": "currency"}
        )
    duration, unit, fixed_end, daily = _duration(request, offered, now, calendar, rolling_days=rolling_days)
    barriers = read_barriers(kind, request, symbol, daily=daily or unit is DurationUnit.DAYS)
    if barriers.first is not None:
        check_against_spot(kind, barriers, symbol, spot)
    contract = _contract(kind, duration, unit, barriers, spot)
    terms = Terms(symbol, contract, request_basis(request), _amount(request), now, fixed_end, barriers, daily, calendar)
    check_hours(terms, now)
    return terms


def _contract(kind: ContractType, duration: int, unit: DurationUnit, barriers: Barriers, spot: float) -> Contract:
    if barriers.first is None:
        return Contract(kind, duration, unit, digit=barriers.digit)
    below = barriers.first < spot if barriers.absolute and kind in TOUCH else None
    return Contract(kind, duration, unit, barriers.first, barriers.second, barriers.absolute, below)


def request_basis(request: Mapping[str, Any]) -> str:
    """What the amount is: "stake" or "payout".

    Raises:
        CallError: when the request lacks amount or basis.
    """
    for name in ("amount", "basis"):
        if name not in request:
            raise CallError("ContractBuyValidationError", f"{name.capitalize()} is required.", {"field": name})
    return str(request["basis"])


def _amount(request: Mapping[str, Any]) -> Decimal:
    amount = Decimal(str(request["amount"]))
    if not amount.is_finite() or amount >= 10**9:
        raise CallError("StakeLimits", "Please enter a valid stake amount.", {"field": "amount"})
    rounded = round(amount, 2)
    if amount != rounded:
        raise CallError(
            "RoundingExceedPermittedEpsilon",
            "Only a maximum of two decimal points are allowed for the amount.",
            {"field": "amount"},
        )
    return rounded


def _duration(
    request: Mapping[str, Any], offered: Offer, now: int, calendar: Calendar, *, rolling_days: bool
) -> tuple[int, DurationUnit, int | None, bool]:
    """Duration, unit, fixed end and whether the contract ends with a trading day."""
    if "date_expiry" in request:
        if "duration" in request:
            raise CallError("DuplicateExpiry", "Please enter only duration or date_expiry.", {"field": "duration"})
        return _until(int(request["date_expiry"]), offered, now, calendar)
    if "duration" not in request:
        raise CallError("ContractBuyValidationError", "Missing required contract parameters (duration or date_expiry).")
    unit, duration = DurationUnit(request.get("duration_unit", "s")), int(request["duration"])
    if unit is DurationUnit.TICKS:
        check_ticks(offered, duration)
    elif unit is DurationUnit.DAYS:
        span = offered.span("daily")
        if span is None or not span.least <= duration <= span.most:
            raise _not_for_so_long()
        return duration, unit, None, not rolling_days
    else:
        check_intraday(offered, duration * UNIT_SECONDS[unit])
    return duration, unit, None, False


def _until(end: int, offered: Offer, now: int, calendar: Calendar) -> tuple[int, DurationUnit, int | None, bool]:
    if end == now:
        raise CallError("SameExpiryStartTime", "Expiry time cannot be equal to start time.", {"field": "date_expiry"})
    if end < now:
        raise CallError("PastExpiryTime", "Expiry time cannot be in the past.", {"field": "date_expiry"})
    if end - now <= DAY:
        check_intraday(offered, end - now)
        return end - now, DurationUnit.SECONDS, end, False
    span = offered.span("daily")
    if span is None or end - now > (span.most + 1) * DAY:
        raise _not_for_so_long()
    if end != calendar.trading_day_end(end, 0):
        raise CallError(
            "TradingDayEndExpiry",
            "Contracts on this market with a duration of more than 24 hours must expire at the end of a trading day.",
            {"field": "date_expiry"},
        )
    return end - now, DurationUnit.SECONDS, end, True


def check_ticks(offered: Offer, ticks: int) -> None:
    """Refuse a number of ticks that is not offered.

    Raises:
        CallError: TicksNumberLimits, or TradingDurationNotAllowed for a type never offered in ticks.
    """
    span = offered.span("tick")
    if span is None:
        raise _not_for_so_long()
    if not span.least <= ticks <= span.most:
        # Recorded without a full stop.
        raise CallError(
            "TicksNumberLimits",
            f"Number of ticks must be between {span.least} and {span.most}",
            {"field": "duration"},
            args=(str(span.least), str(span.most)),
        )


def check_intraday(offered: Offer, seconds: int) -> None:
    """Refuse a life in seconds that is not offered.

    Raises:
        CallError: TradingDurationNotAllowed.
    """
    span = offered.span("intraday")
    if span is None or not span.least <= seconds <= span.most:
        raise _not_for_so_long()


def check_hours(terms: Terms, now: int) -> None:
    """Refuse what the market's hours forbid.

    Raises:
        CallError: MarketIsClosed, TradingNotAvailable, TradingSuspendedSpecificHours or SameTradingDayExpiry.
    """
    calendar = terms.calendar
    if calendar is ALWAYS_OPEN:
        return
    refusal = calendar.refusal(now)
    if refusal == CLOSED:
        raise CallError("MarketIsClosed", refusal)
    end = terms.end(now)
    assert end is not None, "contracts in ticks are offered on markets that never close only"
    if refusal is not None:
        if terms.symbol.market != "forex":
            raise CallError("TradingNotAvailable", refusal)
        if end - now < NIGHT_SECONDS:
            raise CallError(
                "TradingSuspendedSpecificHours",
                "Trading on forex contracts with duration less than 5 hours is not available from 21:00:00 to 23:59:59",
            )
    if not terms.daily and terms.contract.unit is not DurationUnit.DAYS and end > calendar.trading_day_end(now, 0):
        raise CallError(
            "SameTradingDayExpiry",
            "Contracts on this market with a duration of under 24 hours must expire on the same trading day.",
            {"field": "duration"},
        )


def _not_for_so_long() -> CallError:
    return CallError("TradingDurationNotAllowed", "Trading is not offered for this duration.", {"field": "duration"})
