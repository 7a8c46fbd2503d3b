"""What was sent and seen, call by call, and every violation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from paper_exchange.protocol.frames import Frame
from paper_exchange.verify.published import CALL_OF, REFUSALS, Published

MAX_KEPT = 20
"""Violations kept in full per call; the rest are counted."""


@dataclass(slots=True)
class Calls:
    """One call's figures.

    Attributes:
        accepted: requests it took as well-formed.
        frames: frames of it that came out, answers, streams and errors.
        refused: bad requests it refused as Deriv would.
        violations: how many things were wrong.
        examples: descriptions of the first of them.
    """

    accepted: int = 0
    frames: int = 0
    refused: int = 0
    violations: int = 0
    examples: list[str] = field(default_factory=list)


class Tally:
    """Figures of every call that Deriv publishes.

    Args:
        published: the schemas that frames and requests are checked against.
    """

    def __init__(self, published: Published) -> None:
        self.published = published
        self.calls: dict[str, Calls] = {call: Calls() for call in published.calls}
        self.codes: dict[str, int] = {}

    def violation(self, call: str, text: str) -> None:
        """Something was wrong."""
        figures = self.calls.setdefault(call, Calls())
        figures.violations += 1
        if len(figures.examples) < MAX_KEPT:
            figures.examples.append(text)

    def frame(self, frame: Frame) -> None:
        """A frame came out."""
        kind = str(frame.get("msg_type"))
        if kind.startswith("paper_"):
            return
        call = CALL_OF.get(kind, kind)
        self.calls.setdefault(call, Calls()).frames += 1
        if "error" in frame:
            code = str(frame["error"].get("code")) if isinstance(frame["error"], dict) else "?"
            self.codes[code] = self.codes.get(code, 0) + 1
        for problem in self.published.frame_problems(frame):
            self.violation(call, f"frame {kind}: {problem}")

    def answered(self, call: str, request: Frame, answer: Frame) -> None:
        """A request of the day was answered; what was accepted must be a request Deriv accepts."""
        error = answer.get("error")
        if isinstance(error, dict) and error.get("code") in REFUSALS:
            self.violation(call, f"a good request was refused: {error.get('message')}: {request}")
            return
        self.calls[call].accepted += 1
        for problem in self.published.request_problems(call, request):
            self.violation(call, f"accepted {request}: {problem}")

    def refused(self, call: str, what: str, answer: Frame) -> None:
        """A bad request was answered: only ``InputValidationFailed`` will do."""
        error = answer.get("error")
        if isinstance(error, dict) and error.get("code") == "InputValidationFailed":
            self.calls[call].refused += 1
        else:
            got = error.get("code") if isinstance(error, dict) else answer.get("msg_type")
            self.violation(call, f"{what} was answered with {got}")

    def rest(self, call: str, status: int, body: Any, *, bad: bool, request: Any) -> None:
        """A REST request was answered."""
        figures = self.calls[call]
        figures.frames += 1
        for problem in self.published.answer_problems(call, status, body):
            self.violation(call, f"{status} {problem}")
        if bad != (400 <= status < 500):
            self.violation(call, f"{'a bad' if bad else 'a good'} request was answered with {status}: {request}")
        elif bad:
            figures.refused += 1
        else:
            figures.accepted += 1
            for problem in self.published.request_problems(call, request):
                self.violation(call, f"accepted {request}: {problem}")

    @property
    def violations(self) -> int:
        """Of all calls."""
        return sum(figures.violations for figures in self.calls.values())

    @property
    def refusals(self) -> int:
        """Bad requests refused, of all calls."""
        return sum(figures.refused for figures in self.calls.values())

    def close(self) -> None:
        """End the tally: a call that was never accepted or never answered is a violation."""
        for call, figures in self.calls.items():
            if call in self.published.calls and not (figures.accepted and figures.frames):
                self.violation(call, "the day never got to this call")
