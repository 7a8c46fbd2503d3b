"""Requests that Deriv's schemas refuse, made from the schemas themselves: a good request with one fault each.

The fault is a missing member, an unknown one, or a value its schema does not take: of another type, outside its list,
its bounds or its pattern. The schema decides whether a value is refused, so every request here is bad to Deriv too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from paper_exchange.protocol.frames import Frame
from paper_exchange.verify.published import Published

UNKNOWN_MEMBERS = (
    "symbol",
    "product_type",
    "loginid",
    "landing_company",
    "date_start",
    "barrier_range",
    "account",
    "x",
    "X-1",
)
"""Members that no call has: some of the old API, and two that no API has."""

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 1.5, -0.5, 1_000, 10**12, -(10**12),
    "", " ", "1", "0", "-1", "1.5", "x", "!", "call", "CALL ", "R 100", "latest ", "2026-13-45", "1e5", "+", "a" * 200,
    [], [None], [1], ["!"], [[]], [{}], {}, {"x": 1}, {"stop_loss": "1"},
)  # fmt: skip


def bad_requests(published: Published, call: str, good: Frame) -> Iterator[tuple[str, Frame]]:
    """Every bad request next to a good one.

    Args:
        call: the call's name; the member of that name stays, for without it this is no request of the call.
        good: a request that satisfies the call's schema.

    Yields:
        What is wrong, and the request.
    """
    schema = published.request_schema(call)
    yield from _bad(published, schema, schema, good, keep=call, at="")


def _bad(
    published: Published, whole: Mapping[str, Any], schema: Mapping[str, Any], good: Frame, *, keep: str, at: str
) -> Iterator[tuple[str, Frame]]:
    for name in schema.get("required", ()):
        if name != keep:
            yield f"without {at}{name}", {k: v for k, v in good.items() if k != name}
    members: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    if schema.get("additionalProperties") is False:
        for name in UNKNOWN_MEMBERS:
            if name not in members:
                for value in (1, "x"):
                    yield f"with {at}{name}={value!r}", {**good, name: value}
    for name, member in members.items():
        for value in _VALUES:
            if not published.valid_for(member, whole, value):
                yield f"with {at}{name}={value!r}", {**good, name: value}
        inner = good.get(name)
        if member.get("properties") and isinstance(inner, dict):
            for what, changed in _bad(published, whole, member, inner, keep="", at=f"{at}{name}."):
                yield what, {**good, name: changed}
