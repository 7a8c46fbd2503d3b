"""Addresses: what is accepted, and that a secret never leaves in clear or in a message."""

from __future__ import annotations

import pytest

from xtitan_core.deriv.endpoints import (
    check_base_url,
    check_socket_url,
    public_socket_url,
    socket_kind,
    without_secrets,
)
from xtitan_core.deriv.errors import VenueError

SECRET = "s3cr3t-token"
DERIV = "https://api.derivws.com"


@pytest.mark.parametrize(
    ("base", "socket"),
    [
        ("http://127.0.0.1:8700", "ws://127.0.0.1:8700/trading/v1/options/ws/public"),
        ("http://localhost:8700/", "ws://localhost:8700/trading/v1/options/ws/public"),
        (DERIV, "wss://api.derivws.com/trading/v1/options/ws/public"),
        ("http://[::1]:8700", "ws://[::1]:8700/trading/v1/options/ws/public"),
    ],
)
def test_the_public_socket_lies_beside_the_rest_base(base: str, socket: str) -> None:
    assert public_socket_url(base) == socket


@pytest.mark.parametrize(
    "bad", ["", "127.0.0.1:8700", "ws://h", "http://", "http://h:99999", "http://[::1", "http://h/?a=1"]
)
def test_what_is_no_base_url_is_refused(bad: str) -> None:
    with pytest.raises(VenueError, match="not an http"):
        check_base_url(bad)


def test_credentials_in_the_address_are_refused_without_repeating_them() -> None:
    with pytest.raises(VenueError) as caught:
        check_base_url(f"https://me:{SECRET}@api.derivws.com")
    assert SECRET not in str(caught.value)


def test_a_real_token_never_travels_in_clear_to_another_machine() -> None:
    with pytest.raises(VenueError, match="in clear"):
        check_base_url("http://exchange.example:8700", SECRET)
    assert check_base_url("http://exchange.example:8700", "paper")
    assert check_base_url("http://127.0.0.1:8700", SECRET)
    assert check_base_url(DERIV, SECRET) == DERIV


def test_a_one_time_address_is_followed_only_where_it_should_lead() -> None:
    path = "/trading/v1/options/ws/"
    assert check_socket_url(f"wss://api.derivws.com{path}real?otp=x", DERIV) == "real"
    assert check_socket_url(f"ws://127.0.0.1:5{path}demo?otp=x", "http://localhost:5") == "demo"
    for bad in (
        f"wss://evil.example{path}demo?otp={SECRET}",
        f"ws://api.derivws.com{path}demo?otp={SECRET}",
        f"https://api.derivws.com{path}demo?otp={SECRET}",
        f"wss://api.derivws.com{path}public?otp={SECRET}",
        f"wss://api.derivws.com/elsewhere/demo?otp={SECRET}",
        f"wss://api.derivws.com:bad{path}demo?otp={SECRET}",
        f"wss://api.derivws.com{path}demo?otp={SECRET}\ud800",
        f"wss://api.derivws.com{path}demo?otp={SECRET}" + "x" * 5_000,
        f"wss://api.derivws.com@evil.example{path}demo?otp={SECRET}",
    ):
        with pytest.raises(VenueError) as caught:
            check_socket_url(bad, DERIV)
        assert SECRET not in str(caught.value)


def test_an_address_in_a_message_has_neither_password_nor_one_time_password() -> None:
    assert without_secrets(f"wss://u:{SECRET}@h:1/p?otp={SECRET}#f") == "wss://h:1/p"
    assert without_secrets("ws://[::1]:7/p") == "ws://[::1]:7/p"
    assert without_secrets("not an address") == "an unreadable address"


def test_the_kind_of_a_socket_is_its_path() -> None:
    assert socket_kind("ws://h/trading/v1/options/ws/demo?otp=real") == "demo"
    assert socket_kind("ws://h/trading/v1/options/ws/other") is None
    assert socket_kind("ws://h/demo") is None
