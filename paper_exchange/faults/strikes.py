"""Faults that strike sockets or an account, and no single message."""

from __future__ import annotations

from paper_exchange.faults.account import ACCOUNT_STRIKES
from paper_exchange.faults.catalogue import FaultName
from paper_exchange.faults.garble import bad_bytes
from paper_exchange.faults.occasions import Occasions, account_id
from paper_exchange.faults.script import Fault
from paper_exchange.protocol.frames import Close, Wire
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue


def strike(venue: Venue, occasions: Occasions, fault: Fault, connections: list[Connection]) -> None:
    """Let a fault happen to sockets, or to the account it names or they belong to.

    Args:
        connections: the sockets it strikes. A fault of an account strikes the first one's account when it names none,
            and the venue's first account when there is no socket.
    """
    on_account = ACCOUNT_STRIKES.get(fault.name)
    if on_account is None:
        for connection in connections:
            _strike_socket(venue, fault, connection)
        return
    of_sockets = next((account_id(c) for c in connections if c.account), next(iter(venue.accounts)))
    occasions.record(fault, **on_account(venue, venue.accounts[fault.account or of_sockets], fault))


def drop(venue: Venue, connection: Connection, fault: Fault) -> None:
    """Close a socket with the fault's code; nothing passes any more in either direction."""
    connection.silent = connection.deaf = True
    venue.put(connection, Close(int(fault.number("code"))))


def _strike_socket(venue: Venue, fault: Fault, connection: Connection) -> None:
    if fault.name is FaultName.DROP:
        drop(venue, connection, fault)
        return
    if fault.name is FaultName.BAD_BYTES:
        how = str(fault.values["how"])
        venue.put(connection, Wire("write", bad_bytes(how)))
        if how in ("announced", "stalled"):
            connection.silent = True
            venue.put(connection, Wire("mute"))
        return
    if fault.name in (FaultName.MUTE, FaultName.HALF_OPEN):
        connection.silent = True
        venue.put(connection, Wire("mute"))
    if fault.name in (FaultName.DEAF, FaultName.HALF_OPEN):
        connection.deaf = True
        venue.put(connection, Wire("deaf"))
    # Nothing can acknowledge over a dead line, so time must not wait for it.
    venue.lockstep.leave(connection.number)
