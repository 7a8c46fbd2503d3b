"""How money and quotes appear on the wire."""

from __future__ import annotations

from decimal import Decimal


def number(amount: Decimal) -> int | float:
    """A JSON number without trailing zeros, as Deriv sends it: 10, 18.83."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def text(amount: Decimal) -> str:
    """Money as ``proposal_open_contract`` spells it: always two decimals."""
    return f"{amount:.2f}"


def plain(amount: Decimal) -> str:
    """Money as shortcodes spell it: no trailing zeros."""
    return str(number(amount))


def spot(quote: float) -> int | float:
    """A quote as a JSON number: whole quotes lose their decimals."""
    return int(quote) if quote.is_integer() else quote
