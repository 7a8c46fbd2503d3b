"""The pipeline's errors are one tree: the command line catches the base, and each message is one line."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from pathlib import Path

import xtitan_assets
from xtitan_assets.workspace.errors import PipelineError, StepError
from xtitan_core.errors import XtitanError

BASE = "PipelineError"


def outside_the_tree(sources: Iterable[str]) -> list[str]:
    """Public exception classes in these sources that do not derive from the pipeline's base."""
    bases: dict[str, list[str]] = {}
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = [ast.unparse(base).rpartition(".")[2] for base in node.bases]

    def ancestors(name: str) -> set[str]:
        return {name}.union(*(ancestors(base) for base in bases.get(name, []) if base != name))

    def is_exception(name: str) -> bool:
        kind = getattr(builtins, name, None)
        return name == XtitanError.__name__ or (isinstance(kind, type) and issubclass(kind, BaseException))

    exceptions = [name for name in bases if any(map(is_exception, ancestors(name)))]
    return sorted(name for name in exceptions if not name.startswith("_") and BASE not in ancestors(name))


def test_every_error_of_the_package_stands_in_the_tree() -> None:
    folder = Path(xtitan_assets.__file__).parent
    sources = [path.read_text() for path in folder.rglob("*.py")]
    assert outside_the_tree(sources) == []


def test_an_error_outside_the_tree_is_found() -> None:
    planted = [
        "class PipelineError(XtitanError): ...",
        "class StepError(PipelineError, RuntimeError): ...",
        "class LedgerError(errors.StepError): ...",
        "class ForgottenError(ValueError): ...",
        "class Deeper(ForgottenError): ...",
        "class _Stop(Exception): ...",
        "class Plain: ...",
    ]
    assert outside_the_tree(planted) == ["Deeper", "ForgottenError"]


def test_a_message_is_one_line_whatever_it_was_raised_with() -> None:
    assert str(StepError("first\n  second")) == "first second"
    assert issubclass(StepError, PipelineError)
    assert issubclass(PipelineError, XtitanError)
