"""REST over the real server: accounts, one-time passwords, health, truth, faults, and the error envelope."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

HEADERS = {"Authorization": "Bearer paper", "Deriv-App-ID": "1089"}
ACCOUNTS = "/trading/v1/options/accounts"


@pytest.fixture
def api(server: Any) -> Any:
    live = server()
    with httpx.Client(base_url=live.url, headers=HEADERS, trust_env=False) as client:
        yield client


def error(answer: httpx.Response) -> tuple[int, str]:
    (item,) = answer.json()["errors"]
    assert item["status"] == answer.status_code
    assert set(answer.json()["meta"]) == {"endpoint", "method", "timing"}
    return item["status"], item["code"]


def test_health_needs_no_token(api: Any) -> None:
    answer = httpx.get(f"{api.base_url}/v1/health", trust_env=False)
    assert (answer.status_code, answer.text) == (200, "OK")


def test_accounts(api: Any) -> None:
    body = api.get(ACCOUNTS).json()
    assert body["data"][0] == {
        "account_id": "DOT90000001",
        "balance": 10_000,
        "currency": "USD",
        "group": "row",
        "status": "active",
        "account_type": "demo",
    }
    assert [row["account_id"] for row in body["data"]] == ["DOT90000001", "DOT90000002"]
    assert body["meta"]["endpoint"] == ACCOUNTS
    assert body["meta"]["method"] == "GET"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer other", "Deriv-App-ID": "1"}, {"Authorization": "paper", "Deriv-App-ID": "1"}],
)
def test_a_wrong_token_is_unauthorized(api: Any, headers: dict[str, str]) -> None:
    for path in (ACCOUNTS, "/paper/truth"):
        assert error(httpx.get(f"{api.base_url}{path}", headers=headers, trust_env=False)) == (401, "Unauthorized")


def test_a_missing_app_id_is_unauthorized(api: Any) -> None:
    answer = httpx.get(f"{api.base_url}{ACCOUNTS}", headers={"Authorization": "Bearer paper"}, trust_env=False)
    assert error(answer) == (401, "Unauthorized")
    assert answer.json()["errors"][0]["message"] == "Deriv-App-ID header is required for PAT tokens"


def test_otp_gives_a_url_and_the_paper_clock(api: Any) -> None:
    body = api.post(f"{ACCOUNTS}/DOT90000001/otp").json()
    port = api.base_url.port
    assert body["data"]["url"].startswith(f"ws://127.0.0.1:{port}/trading/v1/options/ws/demo?otp=")
    assert body["data"]["paper"] == {"epoch": 1_772_409_600, "rate": 0, "mode": "lockstep"}
    other = api.post(f"{ACCOUNTS}/DOT90000001/otp").json()
    assert other["data"]["url"] != body["data"]["url"]


def test_unknown_accounts_and_paths(api: Any) -> None:
    assert error(api.post(f"{ACCOUNTS}/DOT1/otp")) == (404, "AccountNotFound")
    assert error(api.get("/trading/v1/options/nothing")) == (404, "NotFound")
    assert error(api.get(f"{ACCOUNTS}/DOT90000001/otp")) == (405, "MethodNotAllowed")


def test_creating_an_account_finds_the_demo_one(api: Any) -> None:
    wanted = {"currency": "USD", "group": "row", "account_type": "demo"}
    answer = api.post(ACCOUNTS, json=wanted)
    assert (answer.status_code, answer.json()["data"]["account_id"]) == (200, "DOT90000001")
    assert error(api.post(ACCOUNTS, json={**wanted, "account_type": "real"})) == (403, "AccessDenied")
    assert error(api.post(ACCOUNTS, json={**wanted, "currency": "EUR"})) == (400, "ValidationError")
    assert error(api.post(ACCOUNTS, json={"currency": "USD"})) == (400, "FieldIsRequired")
    assert error(api.post(ACCOUNTS, content=b"{")) == (400, "BadInputRequest")
    assert error(api.post(ACCOUNTS, content=b"[]")) == (400, "BadInputRequest")
    assert error(api.post(ACCOUNTS, content=b" " * 100_000)) == (413, "BadInputRequest")


def test_resetting_the_balance(api: Any) -> None:
    answer = api.post(f"{ACCOUNTS}/DOT90000002/reset-demo-balance")
    assert (answer.status_code, answer.json()["data"]["balance"]) == (200, 10_000)


def test_truth_of_a_quiet_exchange(api: Any) -> None:
    assert api.get("/paper/truth").json() == {
        "epoch": 1_772_409_600,
        "finished": False,
        "accounts": [
            {"account_id": "DOT90000001", "balance": "10000.00", "open": 0},
            {"account_id": "DOT90000002", "balance": "10000.00", "open": 0},
        ],
        "buys": [],
        "faults": [],
    }


def test_faults_are_scripted_or_refused(api: Any) -> None:
    assert api.post("/paper/faults", json={"hold_buy_answer": {"after": 2}}).status_code == 200
    bodies: list[Any] = [
        {},
        {"explode": {}},
        {"hold_buy_answer": 1},
        {"hold_buy_answer": {"after": 0}},
        {"hold_buy_answer": {"after": "1"}},
        {"hold_buy_answer": {"after": True}},
    ]
    for body in bodies:
        assert error(api.post("/paper/faults", json=body)) == (400, "ValidationError")
