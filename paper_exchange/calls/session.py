"""Calls about the connection itself: ping, time, forget, forget_all, logout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paper_exchange.connections import Close, Connection, Frame

if TYPE_CHECKING:
    from paper_exchange.core import Exchange


def ping(exchange: Exchange, connection: Connection, request: Frame) -> None:
    """Answer pong."""
    exchange.reply(connection, request, "ping", "pong")


def time(exchange: Exchange, connection: Connection, request: Frame) -> None:
    """Venue time in whole seconds."""
    exchange.reply(connection, request, "time", exchange.epoch)


def forget(exchange: Exchange, connection: Connection, request: Frame) -> None:
    """End one stream: 1, or 0 when there is none of that id."""
    exchange.reply(connection, request, "forget", int(exchange.forget(connection, request["forget"])))


def forget_all(exchange: Exchange, connection: Connection, request: Frame) -> None:
    """End every stream of the named kinds and list their ids."""
    named = request["forget_all"]
    kinds = {named} if isinstance(named, str) else set(named)
    ended = [s.subscription_id for s in connection.subscriptions.values() if s.kind in kinds]
    for subscription_id in ended:
        exchange.forget(connection, subscription_id)
    exchange.reply(connection, request, "forget_all", ended)


def logout(exchange: Exchange, connection: Connection, request: Frame) -> None:
    """Say goodbye and close."""
    if exchange.reply(connection, request, "logout", 1):
        exchange.outbox.append((connection.number, Close(1000)))
