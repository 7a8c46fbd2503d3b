"""Addresses: what a venue's base URL must look like, where its public socket is, and which sockets we follow."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from xtitan_core.deriv.errors import VenueError

DERIV_URL = "https://api.derivws.com"
"""Deriv's new API."""

SOCKET_PATH = "/trading/v1/options/ws/"
SOCKET_KINDS = frozenset({"public", "demo", "real"})
MAX_URL = 4_096
PAPER_TOKEN = "paper"
"""The token every paper exchange accepts: no secret, so it may travel in clear."""


def is_loopback(host: str) -> bool:
    """True for this machine's own addresses."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_base_url(base_url: str, token: str = PAPER_TOKEN) -> str:
    """A venue's base URL, normalised (no trailing slash).

    Raises:
        VenueError: when it is no http(s) address, carries credentials or a query, or would send a real token over
            an unencrypted connection to another machine.
    """
    parts = _split(base_url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise VenueError(
            "BadAddress", "the venue's address is not an http(s) URL; give one such as http://127.0.0.1:8700"
        )
    if parts.username or parts.password:
        raise VenueError("BadAddress", "the venue's address carries credentials; pass the token by XTITAN_TOKEN")
    if parts.scheme == "http" and token != PAPER_TOKEN and not is_loopback(parts.hostname):
        raise VenueError("BadAddress", f"a token would travel in clear to {parts.hostname}; use https://")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def public_socket_url(base_url: str) -> str:
    """The socket that needs no account: ``http://h:p`` -> ``ws://h:p/trading/v1/options/ws/public``.

    Raises:
        VenueError: as ``check_base_url``.
    """
    base = check_base_url(base_url)
    return "ws" + base.removeprefix("http") + SOCKET_PATH + "public"


def check_socket_url(url: str, base_url: str) -> str:
    """What kind of socket a one-time address opens: ``demo`` or ``real``.

    Raises:
        VenueError: when it leads to another host, drops encryption, or is no socket path. The address itself is a
            secret and never part of the message.
    """
    parts, base = _split(url), urlsplit(base_url)
    if not (url.isascii() and url.isprintable() and len(url) <= MAX_URL):
        parts = None
    if parts is None or parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise VenueError("BadAnswer", "the venue's one-time address is not a websocket address")
    if base.scheme == "https" and parts.scheme != "wss":
        raise VenueError("BadAnswer", "the venue's one-time address is not encrypted; refusing to use it")
    same = parts.hostname == base.hostname or (is_loopback(parts.hostname) and is_loopback(base.hostname or ""))
    if not same:
        raise VenueError("BadAnswer", "the venue's one-time address leads to another host; refusing to use it")
    kind = socket_kind(url)
    if kind is None or kind == "public":
        raise VenueError("BadAnswer", "the venue's one-time address is not an account socket")
    return kind


def socket_kind(url: str) -> str | None:
    """``public``, ``demo`` or ``real`` by the path, or None."""
    parts = _split(url)
    path = parts.path if parts is not None else ""
    kind = path.rpartition("/")[2]
    return kind if path.endswith(SOCKET_PATH + kind) and kind in SOCKET_KINDS else None


def without_secrets(url: str) -> str:
    """An address fit for a message: scheme, host, port and path only."""
    parts = _split(url)
    if parts is None or not parts.hostname:
        return "an unreadable address"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _split(url: str) -> SplitResult | None:
    """The URL's parts, or None when it has none (bad port, unclosed bracket)."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
