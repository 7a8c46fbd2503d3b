"""What the exchange bids for a running contract, against what it is truly worth.

If no bid, at any moment at which a contract may be sold, is above payout times the true chance of still winning, then
no rule for when to sell turns a purchase with a negative expected value into one with a positive value (optional
stopping). So every state is tried: time left and distance of the spot from each level, ties included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal

from drills.fair_cases import DISTANCES, EVENING, PAIRS, chance_of, law_of
from paper_exchange.contracts.offerings import offers, still_offered
from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.contracts.pricing import Price
from paper_exchange.contracts.resale import bid
from paper_exchange.contracts.terms import Terms
from xtitan_core.contracts import DIGITS, HIGHER_LOWER, RISE_FALL, TOUCH, Contract, ContractType, DurationUnit
from xtitan_core.symbols import Symbol

Bidding = Callable[[OpenContract, int, float], Decimal]

PAYOUTS = tuple(Decimal(p) for p in ("0.71", "1.67", "10", "1000"))
SECONDS_LEFT = (15, 16, 30, 60, 120, 121, 300, 900)
_HELD = 40  # seconds since the entry tick: what came before does not matter


def running(
    symbol: Symbol,
    quote: int,
    levels: tuple[int, ...],
    kind: ContractType,
    left: int,
    payout: Decimal,
    commission: float,
) -> tuple[OpenContract, int]:
    """A contract with ``left`` seconds to go at its last tick, and the second it is then.

    Args:
        quote: the last quote in pips.
        levels: barriers in pips; for rise/fall the entry quote.
    """
    scale, step = 10**symbol.decimals, symbol.tick_seconds
    entry_epoch, last_epoch = EVENING + step, EVENING + step + _HELD
    entry = levels[0] if kind in RISE_FALL else quote
    prices = [level / scale for level in levels] if kind not in RISE_FALL else []
    contract = Contract(
        kind,
        last_epoch + left - EVENING,
        DurationUnit.SECONDS,
        barrier=prices[0] if prices else None,
        barrier2=prices[1] if len(prices) > 1 else None,
        absolute=bool(prices),
        below=levels[0] < quote if kind in TOUCH else None,
    )
    terms = Terms(symbol, contract, "payout", payout, EVENING)
    return OpenContract(
        contract_id=1,
        buy_id=1,
        account_id="",
        terms=terms,
        contract=contract,
        price=Price(payout / 2, payout, 0.5),
        commission=commission,
        start=EVENING,
        spot=entry / scale,
        spot_time=EVENING,
        epochs=[entry_epoch, last_epoch],
        quotes=[entry / scale, quote / scale],
    ), last_epoch


def gains(
    symbol: Symbol, price: float, commission: Callable[[ContractType], float], bidding: Bidding = bid
) -> Iterator[tuple[ContractType, float, str]]:
    """(type, bid above worth as a fraction of the payout, where) for every state a contract may be sold in."""
    law, quote = law_of(symbol), round(price * 10**symbol.decimals)
    for offered in offers(symbol):
        for left in SECONDS_LEFT:
            if not still_offered(symbol, offered.types[0], left):
                continue  # not taken back so close to the end, or never
            looks = left // symbol.tick_seconds
            spread = quote * law.sigma * math.sqrt(looks)
            for kind in offered.types:
                if kind in DIGITS:
                    continue
                for levels in _states(kind, quote, spread):
                    chance = chance_of(kind, law, quote, looks, levels)
                    for payout in PAYOUTS:
                        contract, now = running(symbol, quote, levels, kind, left, payout, commission(kind))
                        paid = bidding(contract, now, quote / 10**symbol.decimals)
                        state = f"{symbol.name} {left}s left, {levels} from {quote} pips"
                        where = f"{state}: {paid} of {payout}, p {chance:.5f}"
                        if paid:
                            yield kind, float(paid) / float(payout) - chance, where


def _states(kind: ContractType, quote: int, spread: float) -> Iterator[tuple[int, ...]]:
    if kind in RISE_FALL | HIGHER_LOWER:
        away = {0, 1, 2, *(round(d * spread) for d in DISTANCES)}
        yield from ((quote + side * pips,) for pips in sorted(away) for side in (1, -1))
    elif kind in TOUCH:
        away = {1, 2, *(max(1, round(d * spread)) for d in DISTANCES)}
        yield from ((quote + side * pips,) for pips in sorted(away) for side in (1, -1))
    else:
        for up, down in (*PAIRS, (0.02, 1.5), (1.5, 0.02)):
            yield quote + max(1, round(up * spread)), quote - max(1, round(down * spread))
