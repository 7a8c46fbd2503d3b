"""Damaged frames: the text that goes out instead of a frame, and bytes that are no websocket frame at all."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping

from paper_exchange.protocol.frames import Frame

_COMPACT = (",", ":")


def _text(frame: Frame) -> str:
    return json.dumps(frame, separators=_COMPACT)


def _body(frame: Frame) -> Frame:
    """The member a client looks into: the frame's body where it is an object, else the frame."""
    body = frame.get(frame["msg_type"])
    return body if isinstance(body, dict) and body else frame


def _number(frame: Frame, literal: str) -> str:
    """The frame's text with its last number replaced by a literal."""
    mark = "\x00"
    body = _body(frame)
    numbers = [k for k, v in body.items() if isinstance(v, int | float) and not isinstance(v, bool)]
    body[numbers[-1] if numbers else "value"] = mark
    return _text(frame).replace(json.dumps(mark), literal)


def _deep(frame: Frame) -> str:
    depth = 100_000
    return _text(frame)[:-1] + ',"deep":' + "[" * depth + "]" * depth + "}"


def _duplicate_key(frame: Frame) -> str:
    return _text(frame)[:-1] + ',"msg_type":"ping"}'


def _missing(frame: Frame) -> str:
    body = _body(frame)
    body.pop(next(reversed(body)))
    return _text(frame)


def _renamed(frame: Frame) -> str:
    body = _body(frame)
    key = next(reversed(body))
    body[key + "_"] = body.pop(key)
    return _text(frame)


def _string(frame: Frame) -> str:
    body = _body(frame)
    for key, value in body.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and key != "req_id":
            body[key] = str(value)
    return _text(frame)


def _unknown_type(frame: Frame) -> str:
    frame["msg_type"] = "paper_surprise"
    return _text(frame)


def _error_with_data(frame: Frame) -> str:
    return _text({**frame, "error": {"code": "InternalServerError", "message": "Sorry, an error occurred."}})


_HOW: Mapping[str, Callable[[Frame], str]] = {
    "truncated": lambda frame: _text(frame)[: len(_text(frame)) * 2 // 3],
    "nan": lambda frame: _number(frame, "NaN"),
    "infinite": lambda frame: _number(frame, "1e400"),
    "huge": lambda frame: _number(frame, "9" * 400),
    "deep": _deep,
    "duplicate_key": _duplicate_key,
    "missing": _missing,
    "extra": lambda frame: _text({**frame, "surprise": {"unheard": "of"}}),
    "renamed": _renamed,
    "string": _string,
    "unknown_type": _unknown_type,
    "error_with_data": _error_with_data,
}


def garbled(frame: Frame, how: str) -> str:
    """The damaged text of a frame; the frame itself stays as it is.

    Args:
        how: one of ``catalogue.GARBLINGS``.
    """
    return _HOW[how](copy.deepcopy(frame))


def with_nulls(frame: Frame, keep: frozenset[str]) -> Frame:
    """The frame with every member of its body but ``keep`` null."""
    body = frame[frame["msg_type"]]
    return {**frame, frame["msg_type"]: {k: v if k in keep else None for k, v in body.items()}}


_BYTES: Mapping[str, bytes] = {
    "reserved_opcode": b"\x83\x00",
    "masked": b"\x81\x82\x00\x00\x00\x00{}",
    "bad_utf8": b"\x81\x02\xc3\x28",
    "bad_close": b"\x88\x02\x03\xec",  # 1004, which nobody may send
    "announced": b"\x81\x7f" + (1 << 30).to_bytes(8, "big") + b'{"tick":',
    "stalled": b"\x81\x7e" + (1_000).to_bytes(2, "big") + b'{"tick":',
}


def bad_bytes(how: str) -> bytes:
    """Bytes of a server that breaks RFC 6455.

    Args:
        how: one of ``catalogue.BYTES``. ``announced`` promises a frame of 1 GiB, ``oversized`` sends one of 2 MiB,
            ``stalled`` begins one of 1,000 bytes; after ``announced`` and ``stalled`` nothing more may follow.
    """
    if how == "oversized":
        return b"\x81\x7f" + (2 << 20).to_bytes(8, "big") + b" " * (2 << 20)
    return _BYTES[how]
