"""The connection's own calls, subscriptions and their limits, and the calls that only multipliers know."""

from __future__ import annotations

from typing import Any

import pytest

from support.terms import TERMS

ACCOUNT = "DOT90000001"
START = 1_772_409_600
FULL = {"code": "RateLimit", "message": "You have reached the limit of 100 active subscriptions."}
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def bought(socket: Any, **change: Any) -> int:
    return int(socket.ask({"buy": "1", "price": 100, "parameters": {**TERMS, **change}})["buy"]["contract_id"])


# forget


def test_forget_tells_whether_there_was_one(venue: Any) -> None:
    socket = venue().connect()
    stream = socket.ask({"ticks": "R_100", "subscribe": 1})["subscription"]["id"]
    assert [socket.ask({"forget": stream})["forget"] for _ in range(2)] == [1, 0]
    assert socket.ask({"forget": UNKNOWN})["forget"] == 0


def test_nobody_forgets_for_somebody_else(venue: Any) -> None:
    market = venue()
    mine, other = market.connect(ACCOUNT), market.connect(ACCOUNT)
    stream = mine.ask({"ticks": "R_100", "subscribe": 1})["subscription"]["id"]
    assert other.ask({"forget": stream})["forget"] == 0
    assert other.ask({"forget_all": "ticks"})["forget_all"] == []
    market.advance(2)
    assert len(mine.take("tick")) == 2


@pytest.mark.parametrize(
    ("named", "ended"),
    [
        ("ticks", {"ticks"}),
        (["ticks"], {"ticks"}),
        (["candles", "ticks", "candles"], {"ticks", "candles"}),
        ("proposal", {"proposal"}),
        (["proposal_open_contract", "transaction", "balance"], {"proposal_open_contract", "transaction", "balance"}),
        ("cashier_payments", set()),
        ([], set()),
    ],
)
def test_forget_all_takes_a_kind_or_several(venue: Any, named: Any, ended: set[str]) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    requests: dict[str, dict[str, Any]] = {
        "ticks": {"ticks": "R_100"},
        "candles": {"ticks_history": "R_50", "end": "latest", "count": 1, "style": "candles"},
        "proposal": {"proposal": 1, **TERMS},
        "proposal_open_contract": {"proposal_open_contract": 1},
        "transaction": {"transaction": 1},
        "balance": {"balance": 1},
    }
    ids = {kind: socket.ask({**r, "subscribe": 1})["subscription"]["id"] for kind, r in requests.items()}
    answer = socket.ask({"forget_all": named, "req_id": 4})
    assert (answer["msg_type"], answer["req_id"]) == ("forget_all", 4)
    assert sorted(answer["forget_all"]) == sorted(ids[kind] for kind in ended)
    left = [kind for kind, stream in ids.items() if socket.ask({"forget": stream})["forget"]]
    assert left == [kind for kind in ids if kind not in ended]


def test_a_streamed_price_cannot_be_bought_once_its_stream_is_forgotten(venue: Any) -> None:
    socket = venue().connect(ACCOUNT)
    quote = socket.ask({"proposal": 1, **TERMS, "subscribe": 1})
    assert socket.ask({"forget": quote["subscription"]["id"]})["forget"] == 1
    answer = socket.ask({"buy": quote["proposal"]["id"], "price": 10})
    assert answer["error"] == {"code": "InvalidContractProposal", "message": "Unknown contract proposal"}


# Subscriptions


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        ({"ticks": "R_100"}, "R_100"),
        ({"ticks": ["R_10", "R_100"]}, "R_10"),
        ({"ticks_history": "R_100", "end": "latest", "style": "candles"}, "R_100"),
        ({"proposal": 1, **TERMS}, "proposal"),
        ({"proposal_open_contract": 1}, "proposal_open_contract"),
        ({"transaction": 1}, "transaction"),
        ({"balance": 1}, "balance"),
    ],
)
def test_the_same_subscription_twice(venue: Any, request_: dict[str, Any], what: str) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    socket.send({**request_, "subscribe": 1, "req_id": 1})
    assert not [f for f in socket.take() if "error" in f]
    # Neither req_id nor passthrough make it another one, and it is refused without opening anything.
    answer = socket.ask({**request_, "subscribe": 1, "req_id": 2, "passthrough": {"a": 1}})
    assert answer["error"] == {"code": "AlreadySubscribed", "message": f"You are already subscribed to {what}"}
    assert socket.frames == []
    # On another connection it is a new one.
    other = market.connect(ACCOUNT)
    assert "error" not in other.ask({**request_, "subscribe": 1})


def test_ticks_of_several_symbols_are_all_or_none(venue: Any) -> None:
    socket = venue().connect()
    socket.ask({"ticks": "R_50", "subscribe": 1})
    for named, code in ((["R_100", "R_50"], "AlreadySubscribed"), (["R_100", "NOPE"], "InvalidSymbol")):
        assert socket.ask({"ticks": named, "subscribe": 1})["error"]["code"] == code
        assert socket.frames == []
    socket.send({"ticks": ["R_100", "R_10", "R_100"], "subscribe": 1})
    assert [f["tick"]["symbol"] for f in socket.take()] == ["R_100", "R_10"]
    assert len(socket.ask({"forget_all": "ticks"})["forget_all"]) == 3


@pytest.mark.parametrize("more", [{}, {"subscribe": 1}])
def test_no_symbol_at_all_is_refused_rather_than_left_unanswered(venue: Any, more: dict[str, int]) -> None:
    assert venue().connect().ask({"ticks": [], **more})["error"]["code"] == "InputValidationFailed"


def test_a_hundred_subscriptions_a_connection_and_a_list_counts_as_many(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    for k in range(99):
        answer = socket.ask({"proposal": 1, **TERMS, "amount": 10 + k / 100, "subscribe": 1})
        assert "error" not in answer
        market.advance(1)
    assert socket.ask({"ticks": ["R_100", "R_10"], "subscribe": 1})["error"] == FULL
    assert "error" not in socket.ask({"ticks": "R_100", "subscribe": 1})
    market.advance(1)
    socket.take()
    assert socket.ask({"balance": 1, "subscribe": 1})["error"] == FULL
    assert "error" not in market.connect(ACCOUNT).ask({"balance": 1, "subscribe": 1})


# Budgets over connections


def test_the_sockets_of_a_user_share_budgets_and_those_of_an_address_theirs(venue: Any) -> None:
    market = venue()
    first, second = market.connect(ACCOUNT), market.connect("DOT90000002")
    for _ in range(15):
        first.ask({"portfolio": 1})
        second.ask({"portfolio": 1})
    assert second.ask({"profit_table": 1})["error"]["code"] == "RateLimit"
    exchange = market.exchange
    for number, address in ((91, "10.0.0.1"), (92, "10.0.0.1"), (93, "10.0.0.2")):
        exchange.open(number, address=address)
    answers: list[tuple[int, Any]] = []
    for number in [91] * 100 + [92] * 100 + [91, 92] * 15 + [93]:
        exchange.receive_text(number, '{"time":1}')
        answers.append(exchange.outbox.pop())
        if len(answers) == 200:
            market.advance(1)
    refused = [number for number, frame in answers if "error" in frame]
    # 220 a minute for the address, and the third socket comes from elsewhere.
    assert refused == [91, 92] * 5


def test_budgets_may_be_assumed_to_count_each_connection(venue: Any) -> None:
    market = venue(assume={"budgets_per": "connection"})
    first, second = market.connect(ACCOUNT), market.connect(ACCOUNT)
    codes = [first.ask({"portfolio": 1}).get("error", {}).get("code") for _ in range(31)]
    assert codes == [None] * 30 + ["RateLimit"]
    assert "error" not in second.ask({"portfolio": 1})


# Multipliers


def test_calls_for_multipliers_fail_on_what_is_none(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    contract_id = bought(socket)
    update = {"contract_update": 1, "limit_order": {"take_profit": 5}}
    assert socket.ask({"cancel": contract_id})["error"]["code"] == "DealCancellationNotBought"
    assert socket.ask({**update, "contract_id": contract_id})["error"]["code"] == "UpdateNotAllowed"
    history = {"contract_update_history": 1}
    assert socket.ask({**history, "contract_id": contract_id})["contract_update_history"] == []
    for request in ({"cancel": 7}, {**update, "contract_id": 7}, {**history, "contract_id": 7}):
        assert socket.ask(request)["error"]["code"] == "ContractNotFound"
        other = market.connect("DOT90000002")
        assert other.ask({k: contract_id if v == 7 else v for k, v in request.items()})["error"]["code"] == (
            "ContractNotFound"
        )
    market.advance(7)
    socket.take()
    assert socket.ask({"cancel": contract_id})["error"]["code"] == "ContractAlreadySold"
    assert socket.ask({**update, "contract_id": contract_id})["error"]["code"] == "ContractAlreadySold"
    assert len(market.exchange.accounts[ACCOUNT].rows) == 2
