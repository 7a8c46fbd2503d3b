"""REST over the real server: accounts, one-time passwords, health, truth, faults, and the error envelope."""

from __future__ import annotations

import json
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest

from paper_exchange.venue.budgets import Budgets
from support.terms import TERMS

HEADERS = {"Authorization": "Bearer paper", "Deriv-App-ID": "1089"}
ACCOUNTS = "/trading/v1/options/accounts"
BULK = "/trading/v1/options/contracts/bulk-purchase"


@pytest.fixture
def api(server: Any) -> Any:
    live = server()
    with httpx.Client(base_url=live.url, headers=HEADERS, trust_env=False, verify=False) as client:
        yield client


def error(answer: httpx.Response) -> tuple[int, str]:
    (item,) = answer.json()["errors"]
    assert item["status"] == answer.status_code
    assert set(answer.json()["meta"]) == {"endpoint", "method", "timing"}
    return item["status"], item["code"]


def test_health_needs_no_token(api: Any) -> None:
    answer = httpx.get(f"{api.base_url}/v1/health", trust_env=False, verify=False)
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
        assert error(httpx.get(f"{api.base_url}{path}", headers=headers, trust_env=False, verify=False)) == (
            401,
            "Unauthorized",
        )


def test_a_missing_app_id_is_unauthorized(api: Any) -> None:
    answer = httpx.get(
        f"{api.base_url}{ACCOUNTS}", headers={"Authorization": "Bearer paper"}, trust_env=False, verify=False
    )
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
    assert error(api.post(f"{ACCOUNTS}/DOT1/otp")) == (400, "AccountNotFound")
    assert error(api.post(f"{ACCOUNTS}/DOT1/reset-demo-balance")) == (404, "AccountNotFound")
    assert error(api.get("/trading/v1/options/nothing")) == (404, "NotFound")
    assert error(api.get(f"{ACCOUNTS}/DOT90000001/otp")) == (405, "MethodNotAllowed")


def test_creating_an_account_finds_the_demo_one(api: Any) -> None:
    wanted = {"currency": "USD", "group": "row", "account_type": "demo"}
    answer = api.post(ACCOUNTS, json=wanted)
    assert (answer.status_code, answer.json()["data"]["account_id"]) == (200, "DOT90000001")
    assert error(api.post(ACCOUNTS, json={**wanted, "account_type": "real"})) == (403, "AccessDenied")
    assert error(api.post(ACCOUNTS, json={**wanted, "currency": ["USD"]})) == (400, "ValidationError")
    answer = api.post(ACCOUNTS, json={**wanted, "currency": "EUR"})
    assert error(answer) == (400, "ValidationError")
    assert answer.json()["errors"][0]["field"] == "currency"
    answer = api.post(ACCOUNTS, json={"currency": "USD"})
    assert error(answer) == (400, "FieldIsRequired")
    assert answer.json()["errors"][0]["field"] == "group"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"currency":NaN}', b"[" * 60_000])
def test_a_body_that_is_no_object_is_refused(api: Any, body: bytes) -> None:
    assert error(api.post(ACCOUNTS, content=body)) == (400, "BadInputRequest")


def test_a_body_too_large_is_refused(api: Any) -> None:
    assert error(api.post(ACCOUNTS, content=b" " * 100_000)) == (413, "BadInputRequest")


def test_answers_are_the_published_ones(api: Any, published: Any) -> None:
    wanted = {"currency": "USD", "group": "row", "account_type": "demo"}
    answers = {
        "get_accounts": api.get(ACCOUNTS),
        "create_account": api.post(ACCOUNTS, json=wanted),
        "websocket": api.post(f"{ACCOUNTS}/DOT90000001/otp"),
        "reset_demo_balance": api.post(f"{ACCOUNTS}/DOT90000001/reset-demo-balance"),
        "bulk_purchase": api.post(f"{BULK}/demo", json=bulk(("paper", "DOT90000001"))),
    }
    for name, answer in answers.items():
        assert answer.status_code == 200
        schema = json.loads((published.folder / name / "receive.json").read_text())
        jsonschema.Draft7Validator(schema).validate(answer.json())


def test_refusals_have_the_published_form(api: Any, published: Any) -> None:
    document = json.loads((published.folder / "rest-api-openapi.json").read_text())
    schema = {"$ref": "#/components/schemas/Error", "components": document["components"]}
    bad = httpx.get(f"{api.base_url}{ACCOUNTS}", trust_env=False, verify=False)
    for answer in (
        bad,
        api.post(f"{ACCOUNTS}/DOT1/otp"),
        api.post(ACCOUNTS, json={}),
        api.post(f"{BULK}/demo", json={}),
    ):
        assert answer.status_code >= 400
        jsonschema.Draft7Validator(schema).validate(answer.json())


def test_budgets_count_the_user_and_the_address(server: Any) -> None:
    live = server()
    live.exchange.budgets = Budgets()
    with httpx.Client(base_url=live.url, headers=HEADERS, trust_env=False, verify=False) as client:
        codes = [client.get(ACCOUNTS).status_code for _ in range(61)]
        assert codes == [200] * 60 + [429]
        assert error(client.post(f"{ACCOUNTS}/DOT90000001/otp")) == (429, "RateLimit")
        # Bulk purchases carry no user's token, so only the address counts; the paper-only routes cost nothing.
        assert client.post(f"{BULK}/demo", json={}).status_code == 400
        assert client.get("/paper/truth").status_code == 200
        assert client.get("/v1/health").status_code == 200


# Bulk purchases


def bulk(*pairs: tuple[str, str], **change: Any) -> dict[str, Any]:
    parameters = {**TERMS, **change}
    return {"contract_parameters": parameters, "accounts": [{"token": t, "account_id": a} for t, a in pairs]}


def test_a_bulk_purchase_buys_for_each_entry_and_duplicates_twice(api: Any) -> None:
    pairs = [("paper", "DOT90000001"), ("wrong", "DOT90000002"), ("paper", "DOT7"), ("paper", "DOT90000001")]
    rows = api.post(f"{BULK}/demo", json=bulk(*pairs)).json()["data"]["transactions"]
    assert [row["account_id"] for row in rows] == [account_id for _, account_id in pairs]
    assert [row.get("error", {}).get("code") for row in rows] == [None, "Unauthorized", "AccountNotFound", None]
    assert {row["buy_price"] for row in rows if "buy_price" in row} == {10}
    told = api.get("/paper/truth").json()
    assert [buy["contract_id"] for buy in told["buys"]] == [rows[0]["contract_id"], rows[3]["contract_id"]]
    assert rows[0]["transaction_id"] != rows[3]["transaction_id"]
    assert told["accounts"][0] == {"account_id": "DOT90000001", "balance": "9980.00", "open": 2}


def test_a_bulk_purchase_needs_no_bearer_token_but_an_app_id(api: Any) -> None:
    body = bulk(("paper", "DOT90000001"))
    path = f"{api.base_url}{BULK}/demo"
    assert httpx.post(path, json=body, headers={"Deriv-App-ID": "1"}, trust_env=False, verify=False).status_code == 200
    assert (
        error(httpx.post(path, json=body, headers={"Authorization": "Bearer paper"}, trust_env=False, verify=False))[0]
        == 401
    )


def test_a_contract_that_cannot_be_bought_fails_for_each_account(api: Any) -> None:
    for change, code in ({"duration": 11}, None), ({"symbol": "R_100"}, "InputValidationFailed"):
        rows = api.post(f"{BULK}/demo", json=bulk(("paper", "DOT90000001"), **change)).json()["data"]["transactions"]
        assert rows[0]["error"]["message"]
        assert code in (None, rows[0]["error"]["code"])
    assert api.get("/paper/truth").json()["buys"] == []


def test_a_bulk_purchase_without_a_single_right_entry_is_refused(api: Any) -> None:
    answer = api.post(f"{BULK}/demo", json=bulk(("wrong", "DOT90000001"), ("paper", "DOT7")))
    assert answer.status_code == 400
    assert [(e["code"], e["field"]) for e in answer.json()["errors"]] == [
        ("Unauthorized", "accounts.0"),
        ("AccountNotFound", "accounts.1"),
    ]
    # No account here is real.
    answer = api.post(f"{BULK}/real", json=bulk(("paper", "DOT90000001")))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "AccessDenied")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "contract_parameters"),
        ({"contract_parameters": {}}, "accounts"),
        ({"contract_parameters": [], "accounts": []}, "contract_parameters"),
        ({"contract_parameters": {}, "accounts": {}}, "accounts"),
        ({"contract_parameters": {}, "accounts": []}, "accounts"),
        ({"contract_parameters": {}, "accounts": [{"token": "t", "account_id": "a"}] * 101}, "accounts"),
        ({"contract_parameters": {}, "accounts": [7]}, "accounts.0"),
        ({"contract_parameters": {}, "accounts": [{"token": "t"}]}, "accounts.0.account_id"),
        ({"contract_parameters": {}, "accounts": [{"token": "", "account_id": "a"}]}, "accounts.0.token"),
        ({"contract_parameters": {}, "accounts": [{"token": 1, "account_id": "a"}]}, "accounts.0.token"),
        ({"contract_parameters": {}, "accounts": [{"token": "t" * 513, "account_id": "a"}]}, "accounts.0.token"),
        ({"contract_parameters": {}, "accounts": [{"token": "t", "account_id": "a" * 65}]}, "accounts.0.account_id"),
        ({"contract_parameters": {}, "accounts": [{"token": "t", "account_id": "a", "x": 1}]}, "accounts.0.x"),
    ],
)
def test_a_malformed_bulk_purchase_is_refused(api: Any, body: Any, field: str) -> None:
    answer = api.post(f"{BULK}/demo", json=body)
    assert answer.status_code == 400
    assert field in [e["field"] for e in answer.json()["errors"]]
    assert {e["code"] for e in answer.json()["errors"]} <= {"ValidationError", "FieldIsRequired"}


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
    told = api.post("/paper/faults", json={"fault": "answer_held", "nth": 2})
    assert (told.status_code, told.json()["nth"], told.json()["call"]) == (200, 2, "buy")
    listed = api.get("/paper/faults").json()
    assert "answer_held" in [entry["fault"] for entry in listed["catalogue"]]
    assert listed["fired"] == []
    bodies: list[Any] = [
        {},
        {"fault": "explode"},
        {"fault": 1},
        {"fault": "answer_held", "nth": 0},
        {"fault": "answer_held", "nth": "1"},
        {"fault": "answer_held", "nth": True},
        {"fault": "answer_held", "after": 1},
    ]
    for body in bodies:
        assert error(api.post("/paper/faults", json=body)) == (400, "ValidationError")
