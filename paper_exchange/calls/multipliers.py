"""Calls that concern multipliers only: cancel, contract_update, contract_update_history.

No multiplier is on offer here, so no contract carries a deal cancellation or a limit order: the first two calls fail
as Deriv fails them on a contract without, and the third finds no updates.
"""

from __future__ import annotations

from paper_exchange.contracts.open_contract import OpenContract
from paper_exchange.errors import CallError
from paper_exchange.protocol.frames import Frame
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue


def cancel(venue: Venue, connection: Connection, account: Account, request: Frame) -> None:
    """Cancel a contract bought with deal cancellation; none was.

    Raises:
        CallError: always.
    """
    _open_contract(account, request["cancel"])
    raise CallError(
        "DealCancellationNotBought",
        "This contract does not include deal cancellation. Your contract can only be cancelled when you select deal "
        "cancellation in your purchase.",
    )


def contract_update(venue: Venue, connection: Connection, account: Account, request: Frame) -> None:
    """Change a contract's limit orders; the contracts here have none.

    Raises:
        CallError: always.
    """
    _open_contract(account, request["contract_id"])
    raise CallError("UpdateNotAllowed", "Update is not allowed for this contract.")


def contract_update_history(venue: Venue, connection: Connection, account: Account, request: Frame) -> None:
    """The limit orders a contract of this account ever had: none.

    Raises:
        CallError: ContractNotFound for a contract of another account.
    """
    _contract(account, request["contract_id"])
    venue.reply(connection, request, "contract_update_history", [])


def _contract(account: Account, contract_id: int) -> OpenContract:
    contract = account.contracts.get(contract_id)
    if contract is None:
        raise CallError("ContractNotFound", "Contract not found for contract_id.", {"field": "contract_id"})
    return contract


def _open_contract(account: Account, contract_id: int) -> OpenContract:
    contract = _contract(account, contract_id)
    if contract.sold_for is not None:
        raise CallError("ContractAlreadySold", "This contract has been sold.")
    return contract
