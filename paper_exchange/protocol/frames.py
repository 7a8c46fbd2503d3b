"""What travels over a socket: frames as Python has them, their text, and what is done to the socket beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Frame = dict[str, Any]
"""A JSON object: a request, an answer or a frame of a stream."""

encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
"""A frame as its text on the wire."""


@dataclass(frozen=True, slots=True)
class Close:
    """Instead of a frame: the shell closes the socket with this code."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """Instead of a frame: what a fault does to the line beneath the frames.

    Attributes:
        action: "write" puts ``data`` on the line as it is, "mute" writes nothing more, "deaf" reads nothing more.
    """

    action: str
    data: bytes = b""


Item = Frame | str | Close | Wire
"""What an outbox holds: a frame, a frame's text, or something done to the socket."""
