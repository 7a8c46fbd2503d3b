"""The contract that the exchange's tests ask for and buy unless they are about another one."""

from __future__ import annotations

from typing import Any

TERMS: dict[str, Any] = {
    "amount": 10,
    "basis": "stake",
    "contract_type": "CALL",
    "currency": "USD",
    "duration": 5,
    "duration_unit": "t",
    "underlying_symbol": "R_100",
}
"""Rise over five ticks of R_100 for a stake of 10, as ``buy`` takes it."""

QUOTE: dict[str, Any] = {"proposal": 1, **TERMS}
"""The same as a request for a price."""
