"""What a client asks a price for, checked against what the exchange offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from paper_exchange.errors import CallError
from paper_exchange.money import plain
from xtitan_core.contracts import RISE_FALL, UNIT_SECONDS, Contract, ContractType, DurationUnit
from xtitan_core.symbols import Symbol

MAX_TICKS = 10
MIN_SECONDS = 15
MAX_SECONDS = 86_400

_WORDS = {
    ContractType.CALL: "strictly higher than",
    ContractType.PUT: "strictly lower than",
    ContractType.CALLE: "higher than or equal to",
    ContractType.PUTE: "lower than or equal to",
}
_UNIT_NAMES = {"s": "second", "m": "minute", "h": "hour", "d": "day"}


@dataclass(frozen=True, slots=True)
class Terms:
    """A rise/fall contract before it is bought.

    Attributes:
        symbol: the underlying.
        contract: type and duration; of a contract with a fixed end, the duration at the time it was asked for.
        basis: "stake" or "payout".
        amount: stake or payout in the account's currency, at most two decimals.
        fixed_end: epoch of the end when the client named one, else None.
    """

    symbol: Symbol
    contract: Contract
    basis: str
    amount: Decimal
    fixed_end: int | None = None

    @property
    def rise(self) -> bool:
        """True for CALL and CALLE."""
        return self.contract.contract_type in (ContractType.CALL, ContractType.CALLE)

    def life_seconds(self, now: int) -> float:
        """Seconds from a purchase at ``now`` to the end; a duration in ticks counts the symbol's tick time."""
        if self.fixed_end is not None:
            return max(self.fixed_end - now, 1)
        if self.contract.in_ticks:
            return self.contract.duration * self.symbol.tick_seconds
        return self.contract.seconds

    def at(self, start: int) -> Contract:
        """The contract as it counts when bought at ``start``.

        Raises:
            CallError: when a fixed end has come too close meanwhile.
        """
        if self.fixed_end is None:
            return self.contract
        return Contract(self.contract.contract_type, _checked_seconds(self.fixed_end - start), DurationUnit.SECONDS)

    @property
    def longcode(self) -> str:
        """Deriv's sentence for the contract."""
        relation, name = _WORDS[self.contract.contract_type], self.symbol.display_name
        if self.contract.in_ticks:
            return f"Win payout if {name} after {_count(self.contract.duration, 'tick')} is {relation} entry spot."
        if self.fixed_end is not None:
            return f"Win payout if {name} is {relation} entry spot at {self.fixed_end}."
        span = _count(self.contract.duration, _UNIT_NAMES[self.contract.unit])
        return f"Win payout if {name} is {relation} entry spot at {span} after contract start time."

    def shortcode(self, payout: Decimal, start: int) -> str:
        """``TYPE_SYMBOL_PAYOUT_START_END_S0P_0``; the end is ``nT``, an epoch, or an epoch with F when it was fixed."""
        if self.contract.in_ticks:
            end = f"{self.contract.duration}T"
        elif self.fixed_end is not None:
            end = f"{self.fixed_end}F"
        else:
            end = str(start + self.contract.seconds)
        return f"{self.contract.contract_type}_{self.symbol.name}_{plain(payout)}_{start}_{end}_S0P_0"


def parse_terms(request: Mapping[str, Any], symbols: Mapping[str, Symbol], now: int, currency: str) -> Terms:
    """Read the contract out of a ``proposal`` request or the ``parameters`` of a ``buy``.

    Raises:
        CallError: with Deriv's code for whatever is not offered.
    """
    name = request["underlying_symbol"]
    if name not in symbols:
        raise CallError("OfferingsInvalidSymbol", f"Symbol {name} is invalid.", {"field": "underlying_symbol"})
    symbol = symbols[name]
    kind = request["contract_type"]
    if kind not in RISE_FALL:
        raise CallError(
            "InvalidOfferings", "Trading is not offered for this contract type.", {"field": "contract_type"}
        )
    if "barrier" in request or "barrier2" in request:
        raise CallError("InvalidBarrier", "Barrier is not allowed for this contract type.", {"field": "barrier"})
    for extra in ("multiplier", "growth_rate", "limit_order", "cancellation", "payout_per_point", "selected_tick"):
        if extra in request:
            raise CallError("ContractBuyValidationError", f"{extra} is not valid for {kind}.", {"field": extra})
    if request["currency"] != currency:
        raise CallError(
            "ContractBuyValidationError", f"Currency must be {currency} for this account.", {"field": "currency"}
        )
    if "amount" not in request or "basis" not in request:
        missing = "amount" if "amount" not in request else "basis"
        raise CallError("ContractBuyValidationError", f"{missing.capitalize()} is required.", {"field": missing})
    amount = Decimal(str(request["amount"]))
    if not amount.is_finite() or amount >= 10**9:
        raise CallError("StakeLimits", "Please enter a valid stake amount.", {"field": "amount"})
    if amount != round(amount, 2):
        raise CallError("RoundingExceedPermittedEpsilon", "Only 2 decimal places are allowed.", {"field": "amount"})
    contract, fixed_end = _duration(request, ContractType(kind), now)
    return Terms(symbol, contract, request["basis"], round(amount, 2), fixed_end)


def _duration(request: Mapping[str, Any], kind: ContractType, now: int) -> tuple[Contract, int | None]:
    if "date_expiry" in request:
        if "duration" in request:
            raise CallError("ContractBuyValidationError", "Give either duration or date_expiry, not both.")
        end = int(request["date_expiry"])
        return Contract(kind, _checked_seconds(end - now), DurationUnit.SECONDS), end
    if "duration" not in request:
        raise CallError("ContractBuyValidationError", "Missing required contract parameters (duration or date_expiry).")
    unit, duration = DurationUnit(request.get("duration_unit", "s")), int(request["duration"])
    if unit is DurationUnit.TICKS:
        if not 1 <= duration <= MAX_TICKS:
            raise CallError(
                "TicksNumberLimits", f"Number of ticks must be between 1 and {MAX_TICKS}.", {"field": "duration"}
            )
    else:
        _checked_seconds(duration * UNIT_SECONDS[unit])
    return Contract(kind, duration, unit), None


def _checked_seconds(seconds: int) -> int:
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise CallError("TradingDurationNotAllowed", "Trading is not offered for this duration.", {"field": "duration"})
    return seconds


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
