"""Contract types and their settlement: the one definition that labels, backtest, shadow store and exchange share.

Time rules (Deriv's explanation pages, confirmed on frames recorded from the new API, September 2026):

* entry = first tick **strictly after** the start second; a tick stamped with the start second does not count;
* a duration in ticks counts from the entry tick (number 0): the n-th tick after it is the exit. Digits count the entry
  tick as number 1, so n ticks in all;
* a duration in seconds ends at start + duration; the exit is the last tick at or before that second, and the
  contract settles when the first tick after it arrives;
* contracts on the path observe every tick from the entry to the end, both included;
* a contract in ticks that has not ended five minutes after its start is refunded, and so is one in seconds with fewer
  than two ticks in its life;
* ties lose for CALL, PUT, HIGHER and LOWER and win for CALLE and PUTE; touching a barrier counts as reaching it;
  equality with a barrier loses both sides of EXPIRYRANGE/EXPIRYMISS and wins both of EXPIRYRANGEE/EXPIRYMISSE.

Win conditions work on scalars and on numpy arrays alike, so one code path settles one contract or labels a day.
"""

from xtitan_core.contracts.contract import Contract
from xtitan_core.contracts.outcomes import outcomes
from xtitan_core.contracts.settlement import (
    Settlement,
    barriers,
    entry_index,
    exit_index,
    last_digit,
    settle,
    wins,
)
from xtitan_core.contracts.types import (
    DIGITS,
    ENDS,
    HIGHER_LOWER,
    ONE_BARRIER,
    OPPOSITE,
    PATH,
    PREDICTIONS,
    RISE_FALL,
    STAYS,
    TICK_CONTRACT_LIMIT_SECONDS,
    TOUCH,
    TWO_BARRIERS,
    UNIT_SECONDS,
    WINS_ON_EQUALITY,
    ContractError,
    ContractType,
    DurationUnit,
    Epochs,
    Quotes,
)

__all__ = [
    "DIGITS",
    "ENDS",
    "HIGHER_LOWER",
    "ONE_BARRIER",
    "OPPOSITE",
    "PATH",
    "PREDICTIONS",
    "RISE_FALL",
    "STAYS",
    "TICK_CONTRACT_LIMIT_SECONDS",
    "TOUCH",
    "TWO_BARRIERS",
    "UNIT_SECONDS",
    "WINS_ON_EQUALITY",
    "Contract",
    "ContractError",
    "ContractType",
    "DurationUnit",
    "Epochs",
    "Quotes",
    "Settlement",
    "barriers",
    "entry_index",
    "exit_index",
    "last_digit",
    "outcomes",
    "settle",
    "wins",
]
