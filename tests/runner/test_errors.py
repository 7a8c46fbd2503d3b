"""Every error of the runner is in the one tree that its command line prints as one line."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType

import pytest

import live_runner
from live_runner import cli
from live_runner.errors import RunnerError


def modules() -> list[ModuleType]:
    """Every module of the package."""
    found = pkgutil.walk_packages(live_runner.__path__, "live_runner.")
    return [importlib.import_module(module.name) for module in found]


def exceptions(of: Iterable[ModuleType]) -> list[type[BaseException]]:
    """The exception classes that these modules define."""
    return [
        value
        for module in of
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseException) and value.__module__ == module.__name__
    ]


def outside_the_tree(of: Iterable[ModuleType]) -> list[str]:
    """Names of the exception classes that are no ``RunnerError``."""
    return [error.__qualname__ for error in exceptions(of) if not issubclass(error, RunnerError)]


def test_every_error_of_the_package_is_in_the_tree() -> None:
    assert outside_the_tree(modules()) == []
    assert len(exceptions(modules())) >= 13


def test_a_planted_error_outside_the_tree_is_caught() -> None:
    planted = ModuleType("live_runner.planted")
    exec("class StrayError(RuntimeError): pass", planted.__dict__)
    assert outside_the_tree([planted]) == ["StrayError"]


@pytest.mark.parametrize("error", exceptions(modules()), ids=lambda error: error.__name__)
def test_the_command_line_prints_each_as_one_line(
    error: type[RunnerError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise error("two\n  lines")

    monkeypatch.setattr(cli, "_status", fail)
    assert cli.main(["status"]) == (cli.EX_CONFIG if error.__name__ == "ConfigError" else 1)
    assert capsys.readouterr().err == "error: two lines\n"


def test_an_error_of_the_program_itself_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> int:
        raise KeyError("a fault of the program")

    monkeypatch.setattr(cli, "_status", fail)
    with pytest.raises(KeyError):
        cli.main(["status"])
