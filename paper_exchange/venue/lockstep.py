"""Which connections must acknowledge the current instant before time may move on."""

from __future__ import annotations


class Lockstep:
    """The barrier of lockstep mode: time moves when every member has acknowledged."""

    def __init__(self) -> None:
        self._members: set[int] = set()
        self._waiting: set[int] = set()

    @property
    def members(self) -> frozenset[int]:
        """Connections that opted in and are still open."""
        return frozenset(self._members)

    def __contains__(self, number: int) -> bool:
        return number in self._members

    def ready(self) -> bool:
        """True when there are members and all have acknowledged."""
        return bool(self._members) and not self._waiting

    def join(self, number: int) -> None:
        """A connection opts in; the current instant now waits for it too."""
        self._members.add(number)
        self._waiting.add(number)

    def acknowledge(self, number: int) -> None:
        """A connection is done with the current instant; a second acknowledgement changes nothing."""
        self._waiting.discard(number)

    def leave(self, number: int) -> None:
        """A connection closed: time does not wait for it any more."""
        self._members.discard(number)
        self._waiting.discard(number)

    def begin(self) -> None:
        """A new instant: every member has to acknowledge again."""
        self._waiting = set(self._members)
