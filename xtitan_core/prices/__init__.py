"""Fair probabilities and quotes of fixed-payout contracts.

A quote is ``ask = payout * (p + c)`` with the win probability ``p`` the house prices with and its commission ``c`` as
a fraction of payout, at least ``MIN_COMMISSION`` in money. ``closed_form`` has the probabilities under continuous
monitoring, ``discrete`` those of a price that is looked at once a tick, ``fair`` the house's choice between them and
its treatment of rounded quotes, ``quotes`` the money.
"""

from xtitan_core.prices.closed_form import (
    digit_probability,
    end_above_probability,
    jump_end_above_probability,
    jump_rise_fall_probability,
    last_digit_moves,
    normal_cdf,
    rise_fall_probability,
    stay_inside_probability,
    touch_probability,
)
from xtitan_core.prices.discrete import BGK_SHIFT, EXACT_BELOW_TICKS, barrier_shift, stay_probability
from xtitan_core.prices.fair import Monitoring, bid_probability, fair_probability, steps_from_spot
from xtitan_core.prices.quotes import (
    CENT,
    MIN_COMMISSION,
    PriceError,
    ask_for_payout,
    bid_for_payout,
    break_even,
    payout_for_stake,
    to_cents,
)

__all__ = [
    "BGK_SHIFT",
    "CENT",
    "EXACT_BELOW_TICKS",
    "MIN_COMMISSION",
    "Monitoring",
    "PriceError",
    "ask_for_payout",
    "barrier_shift",
    "bid_for_payout",
    "bid_probability",
    "break_even",
    "digit_probability",
    "end_above_probability",
    "fair_probability",
    "jump_end_above_probability",
    "jump_rise_fall_probability",
    "last_digit_moves",
    "normal_cdf",
    "payout_for_stake",
    "rise_fall_probability",
    "stay_inside_probability",
    "stay_probability",
    "steps_from_spot",
    "to_cents",
    "touch_probability",
]
