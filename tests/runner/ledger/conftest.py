"""The ledger that these tests begin with."""

from __future__ import annotations

from support.ledger import ledger

__all__ = ["ledger"]
