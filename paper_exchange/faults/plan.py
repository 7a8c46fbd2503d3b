"""Which fault happens on which occasion: the scripted ones by their counts, and the draws of a random mix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from paper_exchange.faults.catalogue import FaultName, Point
from paper_exchange.faults.script import Fault
from paper_exchange.faults.seeded import Mix


@dataclass(slots=True)
class _Armed:
    fault: Fault
    seen: int = 0
    done: int = 0


def any_fault(name: FaultName) -> bool:
    """Whether a fault suits an occasion that all of them suit."""
    return True


class Plan:
    """Scripted faults by the point where they act.

    Args:
        mix: random faults on top; None for none.
    """

    def __init__(self, mix: Mix | None = None) -> None:
        self._mix = mix
        self._armed: dict[Point, list[_Armed]] = {}

    def add(self, faults: Iterable[Fault]) -> None:
        """Arm faults; their occasions count from now."""
        for fault in faults:
            self._armed.setdefault(fault.point, []).append(_Armed(fault))

    def clear(self) -> None:
        """Disarm all faults."""
        self._armed.clear()
        self._mix = None

    def take(
        self,
        point: Point,
        epoch: int,
        *,
        call: str = "",
        account: str = "",
        symbol: str = "",
        suits: Callable[[FaultName], bool] = any_fault,
    ) -> Fault | None:
        """Count one occasion for every fault it concerns, and return the first that is due on it."""
        due: Fault | None = None
        for item in list(self._armed.get(point, ())):
            fault = item.fault
            if (
                (fault.call and fault.call != call)
                or (fault.account and fault.account != account)
                or (fault.symbol and fault.symbol != symbol)
                or (fault.at is not None and epoch < fault.at)
                or not suits(fault.name)
            ):
                continue
            item.seen += 1
            if due is None and item.seen >= fault.nth:
                due = fault
                item.done += 1
                if item.done == fault.times:
                    self._armed[point].remove(item)
        if due is None and self._mix is not None:
            due = self._mix.draw(point, call, suits)
        return due
