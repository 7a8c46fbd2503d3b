"""The base of every error that a person is meant to read: one line that says what is wrong and what to do.

Each package has one tree below it: ``xtitan_core``'s own errors, ``ExchangeError``, ``RunnerError`` and
``PipelineError``. A command line catches ``XtitanError`` and prints it; anything else is a fault of the program.
"""

from __future__ import annotations

import re


class XtitanError(Exception):
    """Something a person can act on. Its text is one line, whatever it was raised with; spaces in a path stay."""

    def __str__(self) -> str:
        # Cut at white space other than spaces: one expression for all of it takes quadratic time on many spaces.
        parts = (part.strip(" ") for part in re.split(r"[^\S ]", super().__str__()))
        return " ".join(part for part in parts if part)
