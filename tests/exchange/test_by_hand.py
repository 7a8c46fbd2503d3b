"""The page of the exchange shows how to drive it without I/O; what it shows runs."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "exchange.md"


def failures(page: str) -> int:
    (session,) = re.findall(r"```pycon\n(.*?)```", page, re.DOTALL)
    example = doctest.DocTestParser().get_doctest(session, {}, "docs/exchange.md", str(PAGE), 0)
    assert len(example.examples) > 10
    return doctest.DocTestRunner(verbose=False).run(example).failed


def test_the_page_drives_an_exchange_by_hand() -> None:
    assert failures(PAGE.read_text()) == 0


def test_a_changed_quote_on_the_page_is_noticed() -> None:
    assert failures(PAGE.read_text().replace("546.21", "546.22")) == 1
