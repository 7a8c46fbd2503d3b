"""The log of what really happened, and recordings of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from paper_exchange.errors import SetupError
from paper_exchange.exchange import Exchange
from paper_exchange.faults.script import fault
from paper_exchange.record import Recorder
from paper_exchange.venue.truth import truth

START = 1_772_409_600
ACCOUNT = "DOT90000001"
PARAMETERS = {
    "amount": 10, "basis": "stake", "contract_type": "CALL", "currency": "USD", "duration": 5,
    "duration_unit": "t", "underlying_symbol": "R_100",
}  # fmt: skip
BUY = {"buy": "1", "price": 10, "parameters": PARAMETERS, "req_id": 4}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def traded(venue: Any) -> Any:
    socket = venue.connect(ACCOUNT)
    socket.send({"ticks": "R_100", "subscribe": 1})
    socket.send(BUY)
    socket.send({**BUY, "price": 1})
    venue.exchange.script(fault("deposit", amount=5))
    venue.advance(10)
    socket.close()
    return venue


def test_orders_rows_sockets_and_faults_in_the_order_they_happened(venue: Any) -> None:
    told = truth(traded(venue()).exchange, events=True)
    events = told["events"]
    assert [e["kind"] for e in events] == [
        "opened", "received", "booked", "received", "refused", "cash", "fault", "settled", "closed",
    ]  # fmt: skip
    (buy,) = told["buys"]
    booked, settled = events[2], events[7]
    assert booked["contract_id"] == settled["contract_id"] == buy["contract_id"]
    assert (booked["amount"], booked["balance"]) == ("-10.00", "9990.00")
    assert booked["transaction_id"] == buy["transaction_id"]
    assert (settled["status"], settled["epoch"]) == (buy["status"], START + 12)
    assert settled["balance"] == told["accounts"][0]["balance"]
    assert (events[1]["of"], events[1]["req_id"]) == ("1", 4)
    assert (events[4]["code"], events[4]["call"]) == ("PriceMoved", "buy")
    assert (events[5]["action"], events[5]["amount"]) == ("deposit", "5.00")


def test_without_events_truth_is_as_short_as_ever(venue: Any) -> None:
    assert set(truth(traded(venue()).exchange)) == {"epoch", "finished", "accounts", "buys", "faults"}


def recording(folder: Path, exchange: Exchange) -> Recorder:
    recorder = Recorder(folder, lambda: exchange.epoch)
    exchange.record(recorder)
    return recorder


def test_a_recording_has_every_frame_and_every_event(venue: Any, tmp_path: Path) -> None:
    market = venue()
    recorder = recording(tmp_path / "rec", market.exchange)
    traded(market)
    recorder.close()
    frames = lines(tmp_path / "rec" / "frames.jsonl")
    out = [(f["connection"], f["text"]) for f in frames if f["direction"] == "out"]
    assert out == market.transcript
    arrived = [json.loads(f["text"]) for f in frames if f["direction"] == "in"]
    assert arrived == [{"ticks": "R_100", "subscribe": 1}, BUY, {**BUY, "price": 1}]
    assert [f["epoch"] for f in frames] == sorted(f["epoch"] for f in frames)
    assert lines(tmp_path / "rec" / "truth.jsonl") == market.exchange.events.log


def test_recording_changes_no_byte_and_twice_records_the_same(venue: Any, tmp_path: Path) -> None:
    plain = traded(venue()).transcript
    for name in ("one", "two"):
        market = venue()
        recorder = recording(tmp_path / name, market.exchange)
        assert traded(market).transcript == plain
        recorder.close()
    for file in ("frames.jsonl", "truth.jsonl"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_it_is_written_through_each_instant(venue: Any, tmp_path: Path) -> None:
    market = venue()
    recorder = recording(tmp_path, market.exchange)
    market.connect(ACCOUNT).send(BUY)
    market.advance()
    assert [e["kind"] for e in lines(tmp_path / "truth.jsonl")] == ["opened", "received", "booked"]
    recorder.close()


def test_closes_and_damage_are_recorded(venue: Any, tmp_path: Path) -> None:
    market = venue()
    recorder = recording(tmp_path, market.exchange)
    market.connect(ACCOUNT)
    for name in ("half_open", "drop"):
        market.exchange.script(fault(name))
    market.deliver()
    recorder.close()
    frames = lines(tmp_path / "frames.jsonl")
    assert [f.get("wire", f.get("code")) for f in frames] == ["mute", "deaf", 1006]


def test_a_folder_with_a_recording_is_not_written_over(tmp_path: Path) -> None:
    Recorder(tmp_path, lambda: START).close()
    with pytest.raises(SetupError, match="holds a recording"):
        Recorder(tmp_path, lambda: START)
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot record"):
        Recorder(tmp_path / "file" / "deeper", lambda: START)


def test_serve_records_and_takes_a_script(tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text('{"fault": "answer_lost"}\n')
    program = str(Path(sys.executable).parent / "paper_exchange")
    options = ["--port", "0", "--history-days", "1", "--json", "--fault-script", str(script)]
    process = subprocess.Popen(
        [program, "serve", *options, "--record", str(tmp_path / "rec")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())["url"]
    headers = {"Authorization": "Bearer paper", "Deriv-App-ID": "1089"}
    answer = httpx.post(
        f"{url}/trading/v1/options/accounts/{ACCOUNT}/otp", headers=headers, trust_env=False, verify=False
    ).json()
    with connect(answer["data"]["url"], proxy=None) as socket:
        socket.send(json.dumps(BUY))
        socket.send(json.dumps({"ping": 1}))
        assert json.loads(socket.recv(5))["msg_type"] == "ping"
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 0
    kinds = [e["kind"] for e in lines(tmp_path / "rec" / "truth.jsonl")]
    assert kinds == ["opened", "received", "booked", "fault", "closed"]
    texts = [f["text"] for f in lines(tmp_path / "rec" / "frames.jsonl") if f["direction"] == "out"]
    assert [json.loads(text)["msg_type"] for text in texts] == ["ping"]
