"""Bulk purchase: one contract for many accounts in one REST call, each with its own token. Not idempotent."""

from __future__ import annotations

from typing import Any

from paper_exchange.calls.buying import buy
from paper_exchange.errors import CallError
from paper_exchange.money import number
from paper_exchange.net.envelope import RestError, refused
from paper_exchange.protocol.requests import REQUESTS
from paper_exchange.protocol.schema import Field, validate
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue

MAX_ENTRIES = 100
ANY_PRICE = 1_000_000_000
"""The call names no price, so any price is accepted."""

_NO_SOCKET = 0
"""Number of the connection a bulk purchase is made on. Sockets count from 1, so its frames are sent to no socket."""

_ENTRY = {"token": 512, "account_id": 64}
"""Members of an entry and their greatest lengths."""


def entries(body: dict[str, Any]) -> list[dict[str, str]]:
    """The token and account pairs of a request, its shape checked.

    Raises:
        RestError: naming every member that is wrong.
    """
    problems: list[tuple[str, str, str]] = []
    for name, kind in (("contract_parameters", "object"), ("accounts", "array")):
        if name not in body:
            problems.append(("FieldIsRequired", f"{name} is required", name))
        elif text := Field(kind).problem(body[name]):
            problems.append(("ValidationError", f"{name}: {text}", name))
    if problems:
        raise RestError(400, *problems)
    pairs: list[Any] = body["accounts"]
    if not 1 <= len(pairs) <= MAX_ENTRIES:
        raise refused(400, "ValidationError", f"accounts must hold 1 to {MAX_ENTRIES} entries", "accounts")
    problems = [problem for k, pair in enumerate(pairs) for problem in _entry_problems(pair, f"accounts.{k}")]
    if problems:
        raise RestError(400, *problems)
    return pairs


def _entry_problems(pair: Any, where: str) -> list[tuple[str, str, str]]:
    if not isinstance(pair, dict):
        return [("ValidationError", f"{where} must be an object", where)]
    problems = [
        ("ValidationError", f"{where}.{name} is not allowed", f"{where}.{name}")
        for name in sorted(pair.keys() - _ENTRY)
    ]
    for name, longest in _ENTRY.items():
        if name not in pair:
            problems.append(("FieldIsRequired", f"{where}.{name} is required", f"{where}.{name}"))
        elif not isinstance(pair[name], str) or not 1 <= len(pair[name]) <= longest:
            text = f"{where}.{name} must be a text of 1 to {longest} characters"
            problems.append(("ValidationError", text, f"{where}.{name}"))
    return problems


def purchase_all(
    venue: Venue, body: dict[str, Any], *, account_type: str, token: str, app_id: int | None
) -> list[dict[str, Any]]:
    """Buy for every entry, in order; an entry that is named twice buys twice.

    Args:
        body: the request.
        account_type: "demo" or "real"; the entries of accounts of the other type fail.
        token: the one that owns the accounts here.
        app_id: noted on the statement.

    Returns:
        One row an entry: the contract, or an error.

    Raises:
        RestError: the request is malformed, or no entry's token and account are right.
    """
    pairs = entries(body)
    found = [_account(venue, pair, account_type, token) for pair in pairs]
    if not any(isinstance(account, Account) for account in found):
        failures = [(k, failure) for k, failure in enumerate(found) if isinstance(failure, CallError)]
        raise RestError(400, *((failure.code, failure.message, f"accounts.{k}") for k, failure in failures))
    rows = []
    for pair, account in zip(pairs, found, strict=True):
        row: dict[str, Any] = {"account_id": pair["account_id"]}
        try:
            if isinstance(account, CallError):
                raise account
            row |= _purchase(venue, account, app_id, body["contract_parameters"])
        except CallError as error:
            row["error"] = {"code": error.code, "message": error.message}
        rows.append(row)
    return rows


def _account(venue: Venue, pair: dict[str, str], account_type: str, token: str) -> Account | CallError:
    if pair["token"] != token:
        return CallError("Unauthorized", "The token is invalid")
    account = venue.accounts.get(pair["account_id"])
    if account is None:
        return CallError("AccountNotFound", "The account does not belong to the token's owner")
    if account.account_type != account_type:
        return CallError("AccessDenied", f"The account is not a {account_type} account")
    return account


def _purchase(venue: Venue, account: Account, app_id: int | None, parameters: dict[str, Any]) -> dict[str, Any]:
    request = {"buy": "1", "price": ANY_PRICE, "parameters": parameters}
    validate(REQUESTS["buy"], request)
    buy(venue, Connection(_NO_SOCKET, account, app_id), account, request)
    contract = next(reversed(account.contracts.values()))
    return {
        "contract_id": contract.contract_id,
        "buy_price": number(contract.price.ask),
        "transaction_id": contract.buy_id,
    }
