"""Every error a person reads is one line and stands in one tree."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import xtitan_core
from xtitan_core.bundle.errors import BundleError, BundleProblem
from xtitan_core.clock import thread_cpu
from xtitan_core.deriv.errors import DerivError, FrameError, VenueError
from xtitan_core.errors import XtitanError


def strays(module: ModuleType) -> list[str]:
    """Public exceptions that a module defines outside of the tree."""
    return [
        f"{module.__name__}.{name}"
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, BaseException)
        and value.__module__ == module.__name__
        and not name.startswith("_")
        and not issubclass(value, XtitanError)
    ]


def test_every_public_exception_is_in_the_tree() -> None:
    names = [found.name for found in pkgutil.walk_packages(xtitan_core.__path__, "xtitan_core.")]
    assert len(names) > 40
    assert [stray for name in names for stray in strays(importlib.import_module(name))] == []


def test_a_planted_stray_is_found() -> None:
    planted = ModuleType("planted")
    exec("class LostError(ValueError): ...\nclass _InsideError(Exception): ...", vars(planted))
    assert strays(planted) == ["planted.LostError"]


@pytest.mark.parametrize(
    ("raised_with", "line"),
    [
        (("two\nlines",), "two lines"),
        (("/data/two  spaces/file: gone",), "/data/two  spaces/file: gone"),
        (("  a\ttab \r\n and\u2028more ",), "a tab and more"),
        ((ValueError("inner\nerror"),), "inner error"),
        ((), ""),
    ],
)
def test_an_error_is_one_line_whatever_it_was_raised_with(raised_with: tuple[object, ...], line: str) -> None:
    assert str(XtitanError(*raised_with)) == line


def test_errors_below_it_are_one_line_too() -> None:
    assert str(FrameError("a\nb")) == "a b"
    assert str(VenueError("Refused", "a\nb")) == "a b"
    assert str(DerivError("Code", "a\nb", "buy")) == "buy: Code: a b"
    assert "\n" not in str(BundleError(BundleProblem.MALFORMED, "a\nb"))


def test_a_wrong_value_is_still_a_value_error() -> None:
    assert issubclass(FrameError, ValueError)
    assert issubclass(BundleError, ValueError)


def test_many_spaces_cost_no_time() -> None:
    began = thread_cpu()
    assert str(XtitanError("a" + " " * 50_000 + "b\n")) == "a" + " " * 50_000 + "b"
    assert thread_cpu() - began < 1.0, "seconds of processor time; quadratic in the spaces it would be ten"
