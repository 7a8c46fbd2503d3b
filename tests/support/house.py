"""The plan of the house, read from the sources: which module defines a name, which file imports which, how large a
file, a function or a folder is. The tests hold it against the limits; ``make house`` prints it.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TRADING = ("xtitan_core", "paper_exchange", "live_runner")
PACKAGES = (*TRADING, "xtitan_assets")
AROUND = ("drills", "benchmarks", "tests")
"""What stands outside the packages and imports from them. The tests' own modules are named from ``tests/`` down."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.LShift: lambda left, right: int(left) << int(right),
    ast.Pow: operator.pow,
}


@dataclass(frozen=True)
class Module:
    """One file: its dotted name, where it lies, and what stands in it."""

    name: str
    path: Path

    @property
    def is_package(self) -> bool:
        """True for an ``__init__``, which may hand on names."""
        return self.path.name == "__init__.py"

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(), str(self.path))

    @cached_property
    def defines(self) -> frozenset[str]:
        """The names that a statement outside of functions and classes binds, imports left out."""
        names: set[str] = set()
        waiting: list[ast.AST] = list(self.tree.body)
        while waiting:
            node = waiting.pop()
            if isinstance(node, _SCOPES):
                names.add(node.name)
                continue
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            waiting.extend(ast.iter_child_nodes(node))
        return frozenset(names)

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The upper-case names that a statement outside of functions and classes gives a number to."""
        values = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target, value = node.targets[0], node.value
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                target, value = node.target, node.value
            else:
                continue
            if isinstance(target, ast.Name) and target.id.isupper() and (number := _number(value)) is not None:
                values[target.id] = number
        return values


def _number(node: ast.expr) -> float | None:
    """The value of a number, or of arithmetic on numbers; None of anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, int | float) and not isinstance(node.value, bool) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        operand = _number(node.operand)
        return None if operand is None else -operand
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        left, right = _number(node.left), _number(node.right)
        return None if left is None or right is None else _ARITHMETIC[type(node.op)](left, right)
    return None


def modules(root: Path = ROOT, folders: tuple[str, ...] = (*PACKAGES, *AROUND)) -> dict[str, Module]:
    """Every module below some folders, by its dotted name."""
    found = {}
    for folder in folders:
        base = root / folder if folder == "tests" else root
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = Module(name, path)
    return found


def second_doors(house: dict[str, Module]) -> list[str]:
    """Imports, and reads through an imported module, of a name that the module named there does not define.

    An ``__init__`` may hand on names of its own package; any other module is the door to its own names only.

    Returns:
        One line each: ``file:line: name through module``.
    """
    found = []
    for module in house.values():
        for line, door, name in _names_taken(module, house):
            target = house.get(door)
            if target is None or target.is_package or f"{door}.{name}" in house or name.startswith("__"):
                continue
            if name not in target.defines:
                found.append(f"{module.path}:{line}: {name} through {door}")
    return found


def two_values(house: dict[str, Module]) -> list[str]:
    """Upper-case names that two modules give different numbers to.

    Returns:
        One line each: the name, and its value in each module.
    """
    values: dict[str, dict[str, float]] = {}
    for module in house.values():
        for name, number in module.numbers.items():
            values.setdefault(name, {})[module.name] = number
    return [
        f"{name}: " + ", ".join(f"{number} in {module}" for module, number in sorted(where.items()))
        for name, where in sorted(values.items())
        if len(set(where.values())) > 1
    ]


def _names_taken(module: Module, house: dict[str, Module]) -> Iterator[tuple[int, str, str]]:
    """Every (line, module, name) that a module takes from another by ``from ... import`` or as an attribute."""
    local: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (whole := f"{node.module}.{alias.name}") in house:
                    local[alias.asname or alias.name] = whole
                yield node.lineno, node.module, alias.name
        if isinstance(node, ast.Import):
            local |= {alias.asname: alias.name for alias in node.names if alias.asname}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in local:
            yield node.lineno, local[node.value.id], node.attr
