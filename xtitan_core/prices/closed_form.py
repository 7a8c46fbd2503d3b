"""Closed forms for a driftless geometric Brownian motion that is watched all the time.

``sigma`` is the total volatility of a contract's life, ``annual volatility * sqrt(years)`` with a year of 365 days.
The price is a martingale, so its logarithm drifts by ``-sigma**2 / 2``. Distances are logarithms: of barrier over
spot, or spot over barrier, whichever is positive.
Source: Black-Scholes-Merton binaries, reflection principle; equal to Deriv's published routines at zero rates.
"""

from __future__ import annotations

import math

from xtitan_core.contracts import ContractType
from xtitan_core.prices.quotes import PriceError

_SERIES_FROM = 0.7
"""Ratio of volatility to width from which the sine series converges faster than images do; they agree to 1e-14."""

DIGITS_FORGET_BEYOND_PIPS = 8.0
"""Deviation of a move in pips from which every last digit has one chance in ten, to 1e-6."""


def normal_cdf(x: float) -> float:
    """Standard normal distribution function."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def rise_fall_probability(sigma: float, *, rise: bool) -> float:
    """Probability that the price ends above (or below) its start.

    Args:
        sigma: total volatility over the contract's life.
        rise: True for CALL, False for PUT.

    Returns:
        Phi(-sigma/2) for CALL and Phi(sigma/2) for PUT: the log-drift of a martingale is negative, so an
        at-the-money CALL is worth slightly less than one half.
    """
    return normal_cdf(-sigma / 2 if rise else sigma / 2)


def end_above_probability(distance: float, sigma: float) -> float:
    """Probability of ending above a level ``distance = ln(level / spot)`` away, of either sign (HIGHER).

    With no volatility left it is 1 below the spot and 0 at it or above.
    """
    if sigma <= 0:
        return 1.0 if distance < 0 else 0.0
    return normal_cdf(-distance / sigma - sigma / 2)


def touch_probability(distance: float, sigma: float, *, above: bool) -> float:
    """Probability of reaching a barrier (ONETOUCH).

    Args:
        distance: positive log distance; 1 is returned for a barrier at the spot or behind it.
        sigma: total volatility.
        above: True for a barrier above the spot.
    """
    if distance <= 0:
        return 1.0
    if sigma <= 0 or math.isinf(distance):
        return 0.0
    # Reflection with the martingale's log-drift of -sigma**2 / 2; for a barrier below, mirrored, the drift is upward.
    d, half = distance / sigma, sigma / 2 if above else -sigma / 2
    reflected = normal_cdf(half - d)
    return min(1.0, normal_cdf(-d - half) + (math.exp(-distance if above else distance) * reflected))


def stay_inside_probability(up: float, down: float, sigma: float) -> float:
    """Probability of never reaching either of two barriers (RANGE).

    Args:
        up, down: log distances of the upper and the lower barrier, positive; infinite where there is none.
        sigma: total volatility.
    """
    if up <= 0 or down <= 0:
        return 0.0
    if sigma <= 0:
        return 1.0
    if math.isinf(up) or math.isinf(down):
        touched = touch_probability(down if math.isinf(up) else up, sigma, above=math.isinf(down))
        return 1.0 - touched
    p = _sine_series(up, down, sigma) if sigma > _SERIES_FROM * (up + down) else _images(up, down, sigma)
    return min(1.0, max(0.0, p))


def _images(up: float, down: float, sigma: float) -> float:
    width, drift = up + down, -sigma * sigma / 2
    total = 0.0
    reach = math.ceil(5 * sigma / width) + 2
    for k in range(-reach, reach + 1):
        shift = 2 * k * width + drift
        direct = normal_cdf((up - shift) / sigma) - normal_cdf((-down - shift) / sigma)
        mirror = normal_cdf((width + down - shift) / sigma) - normal_cdf((down - shift) / sigma)
        # The factor may be infinite where the probability is zero; such a term counts as zero.
        total += (math.exp(-k * width) * direct if direct else 0.0) - (
            math.exp(down - k * width) * mirror if mirror else 0.0
        )
    return total


def _sine_series(up: float, down: float, sigma: float) -> float:
    width, variance = up + down, sigma * sigma
    tilt = -0.5  # drift over variance
    total = 0.0
    for n in range(1, 200):
        wave = n * math.pi / width
        decay = math.exp(-wave * wave * variance / 2)
        if decay < 1e-18:
            break
        ends = 1 - (-1) ** n * math.exp(tilt * width)
        total += math.sin(wave * down) * decay * wave * ends / (tilt * tilt + wave * wave)
    return 2 / width * math.exp(-tilt * down - tilt * tilt * variance / 2) * total


def digit_probability(contract_type: ContractType, digit: int | None) -> float:
    """Win probability of a digit contract when all ten digits are equally likely.

    Raises:
        PriceError: when the type is no digit type.
    """
    k = 0 if digit is None else digit
    match contract_type:
        case ContractType.DIGITMATCH:
            return 0.1
        case ContractType.DIGITDIFF:
            return 0.9
        case ContractType.DIGITOVER:
            return (9 - k) / 10
        case ContractType.DIGITUNDER:
            return k / 10
        case ContractType.DIGITODD | ContractType.DIGITEVEN:
            return 0.5
    raise PriceError(f"{contract_type} is no digit contract")


def last_digit_moves(spread: float) -> list[float]:
    """Probability that the last digit moves by 0, 1, ... 9 (modulo ten) while the price moves by a normal amount.

    Args:
        spread: standard deviation of the move in pips, positive; where in its pip the price starts is uniform.

    Returns:
        Ten probabilities: the law of the rounded move, wrapped, by its Fourier coefficients.
    """

    def coefficient(f: int) -> float:
        total = 0.0
        for k in range(-20, 21):  # the rounding's aliases
            angle = 2 * math.pi * (f / 10 + k)
            sinc = math.sin(angle / 2) / (angle / 2) if angle else 1.0
            total += sinc * sinc * math.exp(-spread * spread * angle * angle / 2)
        return total

    waves = [coefficient(f) for f in range(10)]
    return [
        max(0.0, sum(wave * math.cos(2 * math.pi * f * move / 10) for f, wave in enumerate(waves)) / 10)
        for move in range(10)
    ]


def jump_end_above_probability(distance: float, sigma: float, *, jumps: float, jump_sigma: float) -> float:
    """Probability that a martingale with jumps ends above a level ``distance = ln(level / spot)`` away.

    Args:
        distance: of either sign.
        sigma: total volatility of the diffusion over the contract's life.
        jumps: expected number of jumps in it; their number is Poisson.
        jump_sigma: standard deviation of one jump's log size, normal with mean zero.
    """
    if sigma <= 0:
        return end_above_probability(distance, sigma)
    to_go = distance + sigma * sigma / 2 + jumps * math.expm1(jump_sigma * jump_sigma / 2)
    if jumps > 500:  # so many jumps are one more Gaussian, and exp(-jumps) would be lost
        return normal_cdf(-to_go / math.sqrt(sigma * sigma + jumps * jump_sigma * jump_sigma))
    above, weight, seen, k = 0.0, math.exp(-jumps), 0.0, 0
    while seen < 1 - 1e-15 and k < 1_000:
        above += weight * normal_cdf(-to_go / math.sqrt(sigma * sigma + k * jump_sigma * jump_sigma))
        seen += weight
        k += 1
        weight *= jumps / k
    return above / seen


def jump_rise_fall_probability(sigma: float, *, jumps: float, jump_sigma: float, rise: bool) -> float:
    """Probability that a martingale with jumps ends above (or below) its start; see ``jump_end_above_probability``."""
    above = jump_end_above_probability(0.0, sigma, jumps=jumps, jump_sigma=jump_sigma)
    return above if rise else 1 - above
