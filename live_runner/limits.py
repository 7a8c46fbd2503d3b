"""The limits of the account: one pure check between facts read from the ledger and an order.

Nothing here counts anything. Every figure of a ``Snapshot`` is a query over the ledger made for this very check, so a
restart resets nothing, and a stake whose outcome is unknown counts as lost and as open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Cents = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0.0)]


CLOCK_SLACK_S = 1.0
"""A tick may be stamped up to this much after our idea of now: the venue stamps whole seconds."""


class LimitBreach(StrEnum):
    """Why an order is refused. Closed: every refusal in logs and journal carries one of these."""

    NOT_FINITE = "not_finite"
    STAKE = "stake"
    DAY_STOPPED = "day_stopped"
    DAY_LOSS = "day_loss"
    DAY_LOSS_RESERVED = "day_loss_reserved"
    OPEN_CONTRACTS = "open_contracts"
    EXPOSURE = "exposure"
    RATE = "rate"
    STALE_TICK = "stale_tick"


class Limits(BaseModel):
    """What the runner may risk. A manifest can tighten these, never widen them.

    Money is integer cents, ages are venue seconds.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    min_stake_cents: int = Field(default=35, ge=1)
    max_stake_cents: Cents = 1_000
    max_day_loss_cents: Cents = 20_000
    max_open_contracts: int = Field(default=1, ge=0)
    max_exposure_cents: Cents = 5_000
    max_buys_per_minute: int = Field(default=10, ge=0)
    max_tick_age_s: Seconds = 5.0
    max_quote_age_s: Seconds = 2.0
    max_rtt_s: Seconds = 1.0
    max_skew_s: Seconds = 2.0
    ratio_tolerance: float = Field(default=0.001, ge=0.0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The ledger's facts at one instant, without the order that is being checked.

    Attributes:
        day_loss_cents: realised loss of the current UTC day, by purchase day or by settlement day, whichever is
            worse; never negative, so a winning morning does not buy a larger afternoon loss.
        reserved_cents: stakes that are open, prepared, unknown, quarantined or of unconfirmed rejections.
        open_contracts: how many intents those stakes belong to.
        buys_last_minute: buy frames sent in the last 60 venue seconds.
        day_stopped: the day's loss limit was reached earlier today; a later win does not re-open the day.
        tick_age_s: age of the newest tick.
    """

    day_loss_cents: int
    reserved_cents: int
    open_contracts: int
    buys_last_minute: int
    day_stopped: bool
    tick_age_s: float


def check(snapshot: Snapshot, stake_cents: int, limits: Limits) -> LimitBreach | None:
    """The first limit that an order of ``stake_cents`` would break; None when it may go.

    Every comparison is written so that a value that cannot be compared (NaN) refuses.
    """
    if type(stake_cents) is not int or not math.isfinite(snapshot.tick_age_s):
        return LimitBreach.NOT_FINITE
    if not limits.min_stake_cents <= stake_cents <= limits.max_stake_cents:
        return LimitBreach.STAKE
    if snapshot.day_stopped:
        return LimitBreach.DAY_STOPPED
    if not snapshot.day_loss_cents + stake_cents <= limits.max_day_loss_cents:
        return LimitBreach.DAY_LOSS
    if not snapshot.day_loss_cents + snapshot.reserved_cents + stake_cents <= limits.max_day_loss_cents:
        return LimitBreach.DAY_LOSS_RESERVED
    if not snapshot.open_contracts + 1 <= limits.max_open_contracts:
        return LimitBreach.OPEN_CONTRACTS
    if not snapshot.reserved_cents + stake_cents <= limits.max_exposure_cents:
        return LimitBreach.EXPOSURE
    if not snapshot.buys_last_minute + 1 <= limits.max_buys_per_minute:
        return LimitBreach.RATE
    if not -CLOCK_SLACK_S <= snapshot.tick_age_s <= limits.max_tick_age_s:
        return LimitBreach.STALE_TICK
    return None
