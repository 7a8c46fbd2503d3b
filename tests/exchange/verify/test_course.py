"""``paper_exchange verify``: a clean exchange passes, a broken frame and a lax field are caught.

The long runs need Deriv's published schemas beside the checkout; what makes the requests bad is tested without them.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from paper_exchange.calls.dispatch import HANDLERS
from paper_exchange.cli import main
from paper_exchange.exchange import Exchange
from paper_exchange.protocol import requests as validation
from paper_exchange.protocol.schema import Field
from paper_exchange.venue.accounts import Account
from paper_exchange.venue.state import Settings
from paper_exchange.verify import trader
from paper_exchange.verify.bad_requests import bad_requests
from paper_exchange.verify.course import verify
from paper_exchange.verify.offers import terms_of
from paper_exchange.verify.published import Published
from paper_exchange.verify.tally import Tally
from support.worlds import shared_world

SCHEMAS = Path(__file__).resolve().parents[3].parent / "shared" / "deriv-schemas" / "new"
REST_CALLS = {"health", "get_accounts", "create_account", "websocket", "reset_demo_balance", "bulk_purchase"}


@pytest.fixture
def schemas() -> Path:
    """Deriv's schemas, or a skip where they are not at hand."""
    if not SCHEMAS.is_dir():
        pytest.skip("Deriv's published schemas are not beside this checkout")
    return SCHEMAS


@pytest.fixture
def small() -> Exchange:
    """An exchange of two symbols, so that a day is short."""
    world = shared_world()
    world = dataclasses.replace(world, sources={name: world.sources[name] for name in ("R_50", "R_100")})
    return Exchange(world, [Account("DOT90000001", 0.012)], Settings(lockstep=True, budget_factor=1_000))


@pytest.mark.slow
def test_the_exchange_as_it_is_has_no_violation(schemas: Path, capsys: Any) -> None:
    assert main(["verify", "--schemas", str(schemas), "--json"]) == 0
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    assert figures["violations"] == 0
    assert figures["bad_requests_refused"] >= 5_000
    assert set(figures["calls"]) >= {path.parent.name for path in schemas.glob("*/send.json")}
    assert all(call["accepted"] and call["frames"] for name, call in figures["calls"].items() if name != "error")
    assert captured.err.count("\n") > 10, "progress goes to stderr"


def test_broken_frames_and_lax_fields_are_caught(
    small: Exchange, schemas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistyped(venue: Any, connection: Any, request: Any) -> None:
        venue.reply(connection, request, "ping", 1)

    def forgetful(venue: Any, connection: Any, request: Any) -> None:
        venue.reply(connection, {"req_id": request["req_id"]}, "trading_times", {"markets": []})

    monkeypatch.setitem(HANDLERS, "ping", mistyped)
    monkeypatch.setitem(HANDLERS, "trading_times", forgetful)
    lax = validation.REQUESTS["statement"]
    fields = {**lax.fields, "limit": Field("number", minimum=0), "symbol": Field("string")}
    monkeypatch.setitem(validation.REQUESTS, "statement", dataclasses.replace(lax, fields=fields))

    tally = verify(small, schemas, lambda line: None)

    assert any("is not of type 'string'" in example for example in tally.calls["ping"].examples)
    assert any("echo_req" in example for example in tally.calls["trading_times"].examples)
    caught = tally.calls["statement"].examples
    assert any("with limit=1000 was answered with statement" in example for example in caught)
    assert any("with symbol='x' was answered with statement" in example for example in caught)
    clean = {name for name, figures in tally.calls.items() if not figures.violations}
    assert set(tally.calls) - clean == {"ping", "trading_times", "statement"}


def test_an_exchange_that_stops_answering_is_a_violation(
    small: Exchange, schemas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(HANDLERS, "time", lambda venue, connection, request: None)
    monkeypatch.setattr(trader, "ANSWER_SECONDS", 0.5)
    tally = verify(small, schemas, lambda line: None)
    assert tally.calls["day"].examples[0].startswith("broke off: Unanswered")
    assert tally.calls["time"].examples == ["the day never got to this call"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "cannot read the schemas"),
        ({"rest-api-openapi.json": "[]"}, "cannot read the schemas"),
        ({"rest-api-openapi.json": "{}"}, "cannot read the schemas"),
        ({"time/send.json": "[]"}, "a schema is an object"),
        ({"time/send.json": '{"type": 5}'}, "cannot read the schemas"),
        ({"time/send.json": "{bad"}, "cannot read the schemas"),
        (
            {"time/send.json": "{}", "time/receive.json": "{}", "rest-api-openapi.json": '{"components": {}}'},
            "lack active",
        ),
    ],
)
def test_a_folder_without_deriv_s_schemas_is_one_line(
    tmp_path: Path, capsys: Any, files: dict[str, str], message: str
) -> None:
    for name, text in {"time/receive.json": "{}", **files}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert main(["verify", "--schemas", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1


# ---- the parts, against schemas of our own


@pytest.fixture
def own(tmp_path: Path) -> Published:
    """A published folder with one call, ``greet``."""
    request = {
        "type": "object",
        "additionalProperties": False,
        "required": ["greet", "whom"],
        "properties": {
            "greet": {"type": "integer", "enum": [1]},
            "whom": {"type": "string", "pattern": "^[a-z]+$"},
            "times": {"type": "integer", "minimum": 1, "maximum": 5},
            "how": {"type": "object", "additionalProperties": False, "required": ["tone"], "properties": {"tone": {"type": "string"}}},
        },
    }  # fmt: skip
    answer = {"type": "object", "required": ["greet", "msg_type"], "properties": {"greet": {"type": "string"}}}
    (tmp_path / "greet").mkdir()
    (tmp_path / "greet" / "send.json").write_text(json.dumps(request))
    (tmp_path / "greet" / "receive.json").write_text(json.dumps(answer))
    (tmp_path / "rest-api-openapi.json").write_text('{"components": {"schemas": {"Error": {"required": ["errors"]}}}}')
    return Published(tmp_path)


def test_bad_requests_have_one_fault_each_and_the_schema_says_so(own: Published) -> None:
    good = {"greet": 1, "whom": "you", "how": {"tone": "warm"}}
    assert own.request_problems("greet", good) == []
    made = list(bad_requests(own, "greet", good))
    assert all(own.request_problems("greet", request) for _, request in made)
    said = {what for what, _ in made}
    assert {"without whom", "without how.tone", "with symbol='x'", "with how.symbol='x'"} <= said
    assert {
        "with times=0",
        "with times=7",
        "with times='1'",
        "with whom=1",
        "with whom='R 100'",
        "with greet=2",
    } <= said
    assert "with times=2" not in said
    assert "without greet" not in said, "without its name it is no request of the call"
    assert len(said) == len(made)


def test_the_folder_above_is_understood_too(own: Published) -> None:
    (own.folder.parent / "above").mkdir()
    own.folder.rename(own.folder.parent / "above" / "new")
    assert Published(own.folder.parent / "above").calls == own.calls


def test_what_a_frame_must_be(own: Published) -> None:
    echo = {"echo_req": {}}
    assert own.frame_problems({"msg_type": "greet", "greet": "hi", **echo}) == []
    assert own.frame_problems({"msg_type": "greet", "greet": 1, **echo}) == ["greet: 1 is not of type 'string'"]
    assert own.frame_problems({"msg_type": "greet", "greet": "hi"}) == ["echo_req: missing"]
    assert own.frame_problems({"msg_type": "horoscope", **echo}) == ["msg_type 'horoscope' is none of Deriv's"]
    error = {"code": "RateLimit", "message": "Slower."}
    assert own.frame_problems({"msg_type": "greet", "error": error, **echo}) == []
    assert own.frame_problems({"msg_type": "greet", "error": {"code": "RateLimit"}, **echo}) != []
    assert own.frame_problems({"msg_type": "greet", "error": error, "greet": "hi", **echo}) != []


def test_a_refusal_with_the_wrong_code_and_a_good_request_refused_are_violations(own: Published) -> None:
    tally = Tally(own)
    tally.refused("greet", "without whom", {"error": {"code": "InputValidationFailed"}})
    assert (tally.refusals, tally.violations) == (1, 0)
    tally.refused("greet", "without whom", {"error": {"code": "InvalidSymbol"}})
    tally.refused("greet", "without whom", {"greet": "hi"})
    tally.answered("greet", {"greet": 1, "whom": "you"}, {"error": {"code": "InputValidationFailed", "message": "no"}})
    tally.answered("greet", {"greet": 1, "whom": 5}, {"greet": "hi"})
    assert (tally.refusals, tally.violations) == (1, 4)


def test_a_call_that_nobody_made_proves_nothing(own: Published) -> None:
    tally = Tally(own)
    tally.close()
    assert tally.calls["greet"].examples == ["the day never got to this call"]


def test_offers_are_asked_for_at_barriers_near_and_far() -> None:
    row = {"contract_type": "RANGE", "underlying_symbol": "R_100", "min_contract_duration": "2m", "barriers": 2}
    relative = list(terms_of({**row, "high_barrier": "+0.50", "low_barrier": "-0.40"}, 640.0))
    assert relative[0]["duration"] == 2
    assert [(terms["barrier"], terms["barrier2"]) for terms in relative[:2]] == [("+0.50", "-0.40"), ("+1.50", "-1.20")]
    levels = list(terms_of({**row, "high_barrier": "641.00", "low_barrier": "639.50"}, 640.0))
    assert (levels[1]["barrier"], levels[1]["barrier2"]) == ("643.00", "638.50")
    digits = {"contract_type": "DIGITOVER", "underlying_symbol": "R_100", "min_contract_duration": "1t", "barriers": 1}
    assert [t["barrier"] for t in terms_of({**digits, "last_digit_range": list(range(9))}, 640.0)] == ["4"]
