"""proposal, buy and sell."""

from __future__ import annotations

from typing import Any

import pytest

from paper_exchange.faults.script import fault
from support.terms import QUOTE, TERMS

START = 1_772_409_600
ACCOUNT, OTHER = "DOT90000001", "DOT90000002"


def quoted(socket: Any, **change: Any) -> str:
    return str(socket.ask({**QUOTE, **change})["proposal"]["id"])


def test_each_account_has_its_own_commission_and_the_public_socket_the_usual_one(venue: Any) -> None:
    market = venue()
    payouts = [market.connect(a).ask(QUOTE)["proposal"]["payout"] for a in (ACCOUNT, OTHER, None)]
    assert payouts == [19.54, 18.83, 19.54]


def test_a_price_is_bought_once(venue: Any) -> None:
    socket = venue().connect(ACCOUNT)
    proposal_id = quoted(socket)
    assert "error" not in socket.ask({"buy": proposal_id, "price": 10})
    again = socket.ask({"buy": proposal_id, "price": 10})
    assert again["error"] == {"code": "InvalidContractProposal", "message": "Unknown contract proposal"}
    assert len(socket.ask({"portfolio": 1})["portfolio"]["contracts"]) == 1


def test_a_price_belongs_to_its_connection(venue: Any) -> None:
    market = venue()
    first, second, public = market.connect(ACCOUNT), market.connect(ACCOUNT), market.connect()
    for owner in (first, public):
        assert second.ask({"buy": quoted(owner), "price": 10})["error"]["code"] == "InvalidContractProposal"


def test_a_price_ages_unless_it_is_subscribed(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    plain, kept = quoted(socket), quoted(socket, subscribe=1)
    market.advance_to(START + 61)
    assert socket.ask({"buy": plain, "price": 10})["error"]["code"] == "InvalidContractProposal"
    assert "error" not in socket.ask({"buy": kept, "price": 10})


def test_a_subscribed_price_sends_nothing_more_and_ends_with_the_purchase(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    frame = socket.ask({**QUOTE, "subscribe": 1, "req_id": 4})
    assert frame["subscription"]["id"] == frame["proposal"]["id"]
    assert socket.ask({**QUOTE, "subscribe": 1, "req_id": 5})["error"] == {
        "code": "AlreadySubscribed",
        "message": "You are already subscribed to proposal",
    }
    market.advance(5)
    assert socket.take() == []
    socket.ask({"buy": frame["proposal"]["id"], "price": 10})
    assert socket.ask({"forget": frame["subscription"]["id"]})["forget"] == 0
    assert "error" not in socket.ask({**QUOTE, "subscribe": 1})


def test_the_price_is_a_maximum(venue: Any) -> None:
    socket = venue().connect(ACCOUNT)
    low = socket.ask({"buy": quoted(socket), "price": 9.99})
    assert low["error"]["code"] == "PriceMoved"
    assert "changed from 9.99 USD to 10.00 USD" in low["error"]["message"]
    assert socket.ask({"buy": quoted(socket), "price": 50})["buy"]["buy_price"] == 10


def test_a_refused_buy_books_nothing_and_keeps_the_price(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    proposal_id = quoted(socket)
    socket.ask({"buy": proposal_id, "price": 9})
    assert socket.ask({"balance": 1})["balance"]["balance"] == 10_000
    assert socket.ask({"statement": 1})["statement"]["transactions"] == []
    assert "error" not in socket.ask({"buy": proposal_id, "price": 10})


def test_money_runs_out(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    for _ in range(2):
        assert "error" not in socket.ask({"buy": quoted(socket, amount=4_500), "price": 4_500})
    error = socket.ask({"buy": quoted(socket, amount=1_000.01), "price": 2_000})["error"]
    assert error["code"] == "InsufficientBalance"
    assert error["message"] == (
        "Your account balance (1000.00 USD) is insufficient to buy this contract (1000.01 USD)."
    )
    assert "error" not in socket.ask({"buy": quoted(socket, amount=1_000), "price": 1_000})
    assert socket.ask({"balance": 1})["balance"]["balance"] == 0


def test_open_positions_are_limited(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    for _ in range(100):
        assert "error" not in socket.ask({"buy": quoted(socket, amount=1, duration=900, duration_unit="s"), "price": 1})
        market.advance(1)
    assert socket.ask({"buy": quoted(socket, amount=1), "price": 1})["error"] == {
        "code": "OpenPositionLimit",
        "message": "Sorry, you cannot hold more than 100 contracts at a given time. "
        "Please wait until some contracts have closed and try again.",
        "code_args": ["100"],
    }


def test_payouts_of_open_positions_are_limited(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    wild = {"contract_type": "DIGITMATCH", "barrier": "4", "amount": 9_000, "basis": "payout", "duration": 10}
    for _ in range(10):
        assert "error" not in socket.ask({"buy": quoted(socket, **wild, duration_unit="t"), "price": 1_010})
        market.exchange.accounts[ACCOUNT].balance += 1_000
    wild["amount"] = 10_000
    assert "error" not in socket.ask({"buy": quoted(socket, **wild), "price": 1_200})
    error = socket.ask({"buy": quoted(socket, amount=1), "price": 1})["error"]
    assert error["code"] == "OpenPositionPayoutLimit"
    assert error["message"].endswith("cannot exceed USD 100000.00.")


def test_buying_by_parameters(venue: Any) -> None:
    socket = venue().connect(ACCOUNT)
    receipt = socket.ask({"buy": "1", "price": 10, "parameters": TERMS})["buy"]
    assert (receipt["buy_price"], receipt["payout"]) == (10, 19.54)
    assert socket.ask({"buy": "1", "price": 10})["error"]["code"] == "InvalidContractProposal"
    again = socket.ask({"buy": "1", "price": 10, "parameters": TERMS})["buy"]
    assert again["contract_id"] != receipt["contract_id"]


def test_every_socket_of_the_account_hears_of_a_purchase_and_no_other(venue: Any) -> None:
    market = venue()
    buyer, watcher, stranger = market.connect(ACCOUNT), market.connect(ACCOUNT), market.connect(OTHER)
    for socket in (watcher, stranger):
        socket.ask({"transaction": 1, "subscribe": 1})
        socket.ask({"balance": 1, "subscribe": 1})
        socket.ask({"proposal_open_contract": 1, "subscribe": 1})
    buyer.ask({"buy": quoted(buyer), "price": 10})
    assert [f["msg_type"] for f in watcher.take()] == ["transaction", "balance", "proposal_open_contract"]
    assert stranger.take() == []


def test_buy_with_subscribe_follows_the_contract_to_its_end(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    answer = socket.ask({"buy": quoted(socket), "price": 10, "subscribe": 1, "req_id": 6})
    market.advance(10)
    views = socket.take("proposal_open_contract")
    assert {f["subscription"]["id"] for f in views} == {answer["subscription"]["id"]}
    assert {f["req_id"] for f in views} == {6}
    assert [len(f["proposal_open_contract"]["tick_stream"]) for f in views] == [0, 1, 2, 3, 4, 5, 6]
    assert [f["proposal_open_contract"]["is_sold"] for f in views] == [0] * 6 + [1]
    assert socket.ask({"forget": answer["subscription"]["id"]})["forget"] == 0


def test_a_subscription_too_many_refuses_the_purchase_instead_of_following_it(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    proposal_id = quoted(socket)
    grains = (60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400)
    for name in market.exchange.symbols:
        for grain in grains:
            request = {"ticks_history": name, "end": "latest", "count": 1, "style": "candles", "granularity": grain}
            socket.ask({**request, "subscribe": 1})
        market.advance(1)
    assert socket.ask({"buy": proposal_id, "price": 10, "subscribe": 1})["error"]["code"] == "RateLimit"
    assert socket.ask({"statement": 1})["statement"]["count"] == 0
    assert "error" not in socket.ask({"buy": proposal_id, "price": 10})


def test_a_fixed_end_is_kept_at_the_purchase(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    request = {k: v for k, v in QUOTE.items() if k not in ("duration", "duration_unit")}
    frame = socket.ask({**request, "date_expiry": START + 40})
    assert frame["proposal"]["date_expiry"] == START + 40
    market.advance_to(START + 11)
    receipt = socket.ask({"buy": frame["proposal"]["id"], "price": 10})["buy"]
    assert receipt["shortcode"].endswith(f"_{START + 11}_{START + 40}F_S0P_0")
    late = socket.ask({**request, "date_expiry": START + 40})["proposal"]["id"]
    market.advance_to(START + 30)
    assert socket.ask({"buy": late, "price": 10})["error"]["code"] == "TradingDurationNotAllowed"
    market.advance_to(START + 42)
    assert socket.ask({"portfolio": 1})["portfolio"]["contracts"] == []


FAR = {"contract_type": "HIGHER", "duration": 5, "duration_unit": "m", "barrier": "+1.00"}


def levels(market: Any, socket: Any, *offsets: float) -> dict[str, str]:
    """Absolute barriers at offsets from the latest tick of R_100."""
    last = socket.ask({"ticks": "R_100"})["tick"]["quote"]
    return dict(zip(("barrier", "barrier2"), (f"{last + offset:.2f}" for offset in offsets), strict=False))


def test_a_price_with_a_barrier_follows_every_tick_and_the_latest_is_bought(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    change = {**FAR, **levels(market, socket, 1.0)}
    first = socket.ask({**QUOTE, **change, "subscribe": 1, "req_id": 9})
    market.advance(20)
    frames = socket.take("proposal")
    assert [f["proposal"]["spot_time"] for f in frames] == [START + 2 * k for k in range(1, 21)]
    assert {f["subscription"]["id"] for f in frames} == {f["proposal"]["id"] for f in frames}
    assert {f["subscription"]["id"] for f in frames} == {first["subscription"]["id"]}
    assert len({f["proposal"]["payout"] for f in frames}) > 10
    latest = frames[-1]["proposal"]
    receipt = socket.ask({"buy": latest["id"], "price": 10})["buy"]
    assert receipt["payout"] == latest["payout"]
    market.advance(1)
    assert socket.take("proposal") == []


def test_a_price_moves_with_the_spot_until_it_is_too_far_from_the_quote(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    outcomes = []
    for _ in range(30):
        asked = socket.ask({**QUOTE, **FAR, **levels(market, socket, 0.5)})["proposal"]
        market.advance(3)
        now = socket.ask({**QUOTE, **FAR, "barrier": asked["contract_details"]["barrier"]})["proposal"]
        answer = socket.ask({"buy": asked["id"], "price": 10})
        if "error" in answer:
            assert answer["error"]["code"] == "PriceMoved"
            text = f"The contract payout has changed from {asked['payout']:.2f} USD to {now['payout']:.2f} USD."
            assert answer["error"]["message"].endswith(text)
            assert now["payout"] < asked["payout"]
        else:
            assert answer["buy"]["payout"] == now["payout"], "bought at the price of the moment"
        outcomes.append(("error" in answer, now["payout"] - asked["payout"]))
        market.advance(30)
    refused = [moved for no, moved in outcomes if no]
    taken = [moved for no, moved in outcomes if not no]
    assert refused
    assert max(refused) < 0 < max(taken)
    assert max(refused) < min(moved for moved in taken), "only the worse ones are refused"


def test_without_tolerance_every_worse_price_is_refused(venue: Any) -> None:
    market = venue(assume={"price_tolerance": "none"})
    socket = market.connect(ACCOUNT)
    for _ in range(20):
        asked = socket.ask({**QUOTE, **FAR, **levels(market, socket, 0.5)})["proposal"]
        market.advance(1)
        now = socket.ask({**QUOTE, **FAR, "barrier": asked["contract_details"]["barrier"]})["proposal"]
        answer = socket.ask({"buy": asked["id"], "price": 10})
        assert ("error" in answer) == (now["payout"] < asked["payout"])
        market.advance(10)


def test_a_stream_whose_price_is_no_longer_offered_ends_with_the_reason(venue: Any) -> None:
    market = venue()
    socket = market.connect(ACCOUNT)
    change = {**FAR, "contract_type": "RANGE", **levels(market, socket, 0.4, -0.4), "duration": 2}
    stream = socket.ask({**QUOTE, **change, "amount": 1, "subscribe": 1, "req_id": 3})["subscription"]["id"]
    market.advance(100)
    last = socket.take("proposal")[-1]
    assert last["error"]["code"] == "InvalidBarrierRange"
    assert last["req_id"] == 3
    assert socket.ask({"forget": stream})["forget"] == 0


def test_what_a_buy_cannot_pay_out_is_refused_in_its_own_words(venue: Any) -> None:
    socket = venue().connect(ACCOUNT)
    error = socket.ask({"buy": "1", "price": 6_000, "parameters": {**TERMS, "amount": 6_000}})["error"]
    assert error["code"] == "InvalidtoBuy"
    assert error["message"].startswith("Minimum stake of 0.35 and maximum payout of 10000.00. Current payout is 117")


@pytest.mark.parametrize("after", [1, 3])
def test_a_held_buy_is_booked_and_never_answered(venue: Any, after: int) -> None:
    market = venue()
    market.exchange.script(fault("answer_held", nth=after))
    socket, other = market.connect(ACCOUNT), market.connect(ACCOUNT)
    socket.ask({"transaction": 1, "subscribe": 1})
    other.ask({"transaction": 1, "subscribe": 1})
    for _ in range(after - 1):
        assert "error" not in socket.ask({"buy": quoted(socket), "price": 10})
    held = quoted(socket)
    socket.take()
    with pytest.raises(LookupError):
        socket.ask({"buy": held, "price": 10})
    with pytest.raises(LookupError):
        socket.ask({"ping": 1})
    market.advance(10)
    assert socket.frames == []
    assert len(other.take("transaction")) == 2 * after
    (fired,) = market.exchange.faults.fired
    assert fired["fault"] == "answer_held"
    fresh = market.connect(ACCOUNT)
    rows = fresh.ask({"statement": 1, "action_type": "buy", "description": 1})["statement"]["transactions"]
    assert len(rows) == after
    assert rows[0]["contract_id"] == fired["contract_id"]
    assert "error" not in fresh.ask({"buy": quoted(fresh), "price": 10})
