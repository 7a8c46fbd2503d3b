"""Named sets of ``serve`` options, one for each use of the exchange."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """Options given before the user's own, which win over them.

    Attributes:
        purpose: what the profile is for.
        arguments: as they would be typed.
    """

    purpose: str
    arguments: tuple[str, ...]


PROFILES: dict[str, Profile] = {
    "fast": Profile("as fast as the client acknowledges, budgets out of the way", ()),
    "live": Profile("what a trader meets: wall speed, Deriv's own budgets", ("--speed", "real")),
    "watch": Profile("planted markets at 20 times wall speed", ("--market", "planted", "--speed", "20")),
    "dear": Profile("the first account pays what a recorded demo account paid", ("--commission", "demo")),
    "hostile": Profile(
        "one message in fifty goes wrong, by --fault-seed", ("--fault-seed", "1", "--fault-rate", "0.02")
    ),
}


def expand(arguments: Sequence[str]) -> list[str]:
    """Put the named profile's options before the others of ``serve``.

    The parser refuses an unknown name.
    """
    given = list(arguments)
    if given[:1] != ["serve"]:
        return given
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    finder.add_argument("--profile")
    try:
        named = finder.parse_known_args(given[1:])[0].profile
    except argparse.ArgumentError:
        return given
    profile = PROFILES.get(named)
    return given if profile is None else ["serve", *profile.arguments, *given[1:]]
