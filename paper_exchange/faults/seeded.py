"""A random mix of faults that a seed decides: the same seed over the same messages gives the same faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from paper_exchange.errors import SetupError
from paper_exchange.faults.catalogue import CATALOGUE, FaultName, Point, Value
from paper_exchange.faults.script import Fault
from xtitan_core.randomness import stream

ACCOUNT_FAULTS = frozenset({FaultName.FOREIGN_BUY, FaultName.DEPOSIT, FaultName.WITHDRAWAL, FaultName.ACCOUNT_RESET})
"""What others do to an account. Drawn only by a mix that names them: a correct client halts at a foreign purchase."""


class Mix:
    """Draws faults.

    Args:
        seed: decides everything.
        rate: probability of a fault on each occasion.
        only: names the mix is made of; by default all but ``ACCOUNT_FAULTS``.

    Raises:
        SetupError: for a rate that is no probability.
    """

    def __init__(self, seed: int, rate: float, only: Iterable[FaultName] | None = None) -> None:
        if not 0 < rate <= 1:
            raise SetupError(f"a fault rate of {rate} is not possible; choose one above 0, up to 1")
        self.rate = rate
        names = sorted(set(only) if only is not None else set(CATALOGUE) - ACCOUNT_FAULTS, key=list(FaultName).index)
        self._names: dict[Point, list[FaultName]] = {}
        for name in names:
            point = CATALOGUE[name].point
            # A fault of a time is drawn on a call instead, so that it depends on the messages alone.
            self._names.setdefault(Point.REQUEST if point is Point.TIME else point, []).append(name)
        self._random = {point: stream(seed, "faults", point) for point in Point}

    def draw(self, point: Point, call: str, suits: Callable[[FaultName], bool]) -> Fault | None:
        """A fault for one occasion, mostly None.

        Args:
            point: where it would act.
            call: the call or ``msg_type``.
            suits: whether a fault is possible on this occasion.
        """
        random = self._random[point]
        if random.random() >= self.rate:
            return None
        names = [n for n in self._names.get(point, ()) if suits(n) and CATALOGUE[n].call in ("", call)]
        if not names:
            return None
        name = names[int(random.integers(len(names)))]
        values: dict[str, Value] = {}
        for key, parameter in CATALOGUE[name].parameters.items():
            drawn = parameter.drawn or (parameter.default,)
            values[key] = drawn[int(random.integers(len(drawn)))]
        return Fault(name, values=values)
