"""The table of handlers: one for every call of the schemas, and an account wherever the schema asks for one."""

from __future__ import annotations

import inspect

from paper_exchange.calls.dispatch import ACCOUNT_HANDLERS, HANDLERS
from paper_exchange.protocol.requests import REQUESTS


def test_every_call_has_one_handler_in_the_table_its_schema_names() -> None:
    assert set(HANDLERS) == {name for name, call in REQUESTS.items() if not call.account}
    assert set(ACCOUNT_HANDLERS) == {name for name, call in REQUESTS.items() if call.account}


def test_account_calls_are_given_the_account() -> None:
    for handler in HANDLERS.values():
        assert list(inspect.signature(handler).parameters) == ["venue", "connection", "request"]
    for handler in ACCOUNT_HANDLERS.values():
        assert list(inspect.signature(handler).parameters) == ["venue", "connection", "account", "request"]
