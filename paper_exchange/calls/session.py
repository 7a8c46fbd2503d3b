"""Calls about the connection itself: ping, time, forget, forget_all, logout."""

from __future__ import annotations

from paper_exchange.protocol.frames import Close, Frame
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.connections import Connection
from paper_exchange.venue.state import Venue


def ping(venue: Venue, connection: Connection, request: Frame) -> None:
    """Answer pong."""
    venue.reply(connection, request, "ping", "pong")


def time(venue: Venue, connection: Connection, request: Frame) -> None:
    """Venue time in whole seconds."""
    venue.reply(connection, request, "time", venue.epoch)


def forget(venue: Venue, connection: Connection, request: Frame) -> None:
    """End one stream: 1, or 0 when there is none of that id."""
    venue.reply(connection, request, "forget", int(venue.forget(connection, request["forget"])))


def forget_all(venue: Venue, connection: Connection, request: Frame) -> None:
    """End every stream of the named kinds and list their ids."""
    named = request["forget_all"]
    kinds = {named} if isinstance(named, str) else set(named)
    ended = [s.subscription_id for s in connection.subscriptions.values() if s.stream.kind in kinds]
    for subscription_id in ended:
        venue.forget(connection, subscription_id)
    venue.reply(connection, request, "forget_all", ended)


def logout(venue: Venue, connection: Connection, account: Account, request: Frame) -> None:
    """Answer, then close the socket."""
    if venue.reply(connection, request, "logout", 1):
        venue.put(connection, Close(1000))
