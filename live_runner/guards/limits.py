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

MAX_TICK_AHEAD_S = 1.0
"""A tick may be stamped up to this much after our idea of now: the venue stamps whole seconds."""


class LimitBreach(StrEnum):
    """Why an order is refused. Closed: every refusal in logs and journal carries one of these."""

    NOT_FINITE = "not_finite"  # the stake is not a whole number of cents, or there is no tick yet
    STAKE = "stake"  # stake below min_stake_cents or above max_stake_cents
    DAY_STOPPED = "day_stopped"  # the day's loss limit was reached earlier today; a later win does not re-open the day
    DAY_LOSS = "day_loss"  # realised loss and this stake exceed max_day_loss_cents; the day is stopped
    DAY_LOSS_RESERVED = "day_loss_reserved"  # the same with all open and unknown stakes counted as lost
    OPEN_CONTRACTS = "open_contracts"  # more than max_open_contracts open or unknown
    EXPOSURE = "exposure"  # open and unknown stakes and this one exceed max_exposure_cents
    RATE = "rate"  # more than max_buys_per_minute sent in the last 60 venue seconds
    STALE_TICK = "stale_tick"  # the newest tick is older than max_tick_age_s, or lies in the future


class Limits(BaseModel):
    """What the runner may risk. No value of a manifest changes these.

    Money is integer cents, ages are venue seconds.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    min_stake_cents: int = Field(default=35, ge=1, description="smallest stake sent")
    max_stake_cents: Cents = Field(default=1_000, description="largest stake sent")
    max_day_loss_cents: Cents = Field(default=20_000, description="loss of a UTC day, open and unknown stakes included")
    max_open_contracts: int = Field(default=1, ge=0, description="contracts open or of unknown outcome at once")
    max_exposure_cents: Cents = Field(default=5_000, description="stakes open or of unknown outcome at once")
    max_buys_per_minute: int = Field(default=10, ge=0, description="buy frames in any 60 venue seconds")
    max_tick_age_s: Seconds = Field(default=5.0, description="age of the newest tick, at decision and at sending")
    max_quote_age_s: Seconds = Field(default=2.0, description="time from asking for the quote to sending the buy")
    max_rtt_s: Seconds = Field(default=1.0, description="time the venue may take to answer with the quote")
    max_skew_s: Seconds = Field(default=2.0, description="difference between our clock and the venue's")
    ratio_tolerance: float = Field(
        default=0.001, ge=0.0, description="payout ratio at the quote against the expected one"
    )


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
    if not -MAX_TICK_AHEAD_S <= snapshot.tick_age_s <= limits.max_tick_age_s:
        return LimitBreach.STALE_TICK
    return None
