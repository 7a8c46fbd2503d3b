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

import grimp

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
    reads: list[tuple[int, str, str]] = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (whole := f"{node.module}.{alias.name}") in house:
                    local[alias.asname or alias.name] = whole
                yield node.lineno, node.module, alias.name
        elif isinstance(node, ast.Import):
            local |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            reads.append((node.lineno, node.value.id, node.attr))
    yield from ((line, local[owner], name) for line, owner, name in reads if owner in local)


_BY_NAME = frozenset({"__import__", "eval", "exec", "find_spec", "import_module", "run_module", "run_path"})


def unseen(house: dict[str, Module]) -> list[str]:
    """What no reader of import statements follows.

    Folders without ``__init__.py``, of which grimp and import-linter see no file; code that is imported by a name or
    run from a text; modules reached as attributes of their package.

    Returns:
        One line each: the folder, or ``file:line:`` with the function or the module.
    """
    packages = {module.path.parent for module in house.values() if module.is_package}
    found = [f"{folder} has no __init__.py" for folder in sorted(set(folders(house)) - packages)]
    for module in house.values():
        for node in ast.walk(module.tree):
            function = node.func if isinstance(node, ast.Call) else None
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            # A method called so is no such function: torch's ``model.eval()`` takes nothing.
            if name in _BY_NAME and isinstance(node, ast.Call) and node.args:
                found.append(f"{module.path}:{node.lineno}: {name}")
        found += [f"{module.path}:{line}: {name} of its package" for line, name in _reached_into(module, house)]
    return found


def _reached_into(module: Module, house: dict[str, Module]) -> set[tuple[int, str]]:
    """Modules, with the line, that a module reads as attributes of a package without importing them by their name."""
    local: dict[str, str] = {}
    imported: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
            local |= {
                alias.asname or alias.name.split(".")[0]: alias.name if alias.asname else "" for alias in node.names
            }
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            imported |= set(whole.values())
            local |= {name: target for name, target in whole.items() if target in house}
    found = set()
    for node in ast.walk(module.tree):
        root, _, rest = ast.unparse(node).partition(".") if isinstance(node, ast.Attribute) else ("", "", "")
        name = f"{local.get(root) or root}.{rest}"
        if root in local and name in house and not any(f"{other}.".startswith(f"{name}.") for other in imported):
            found.add((getattr(node, "lineno", 0), name))
    return found


def functions(module: Module) -> Iterator[tuple[str, int]]:
    """Every function and method of a module with the lines from its ``def`` to its end."""
    waiting: list[tuple[str, ast.AST]] = [("", module.tree)]
    while waiting:
        owner, node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            name = f"{owner}.{child.name}".lstrip(".") if isinstance(child, _SCOPES) else owner
            if isinstance(child, Function):
                yield name, (child.end_lineno or child.lineno) - child.lineno + 1
            waiting.append((name, child))


def folders(house: dict[str, Module]) -> dict[Path, list[Module]]:
    """The modules of each folder, ``__init__`` left out."""
    found: dict[Path, list[Module]] = {}
    for module in house.values():
        found.setdefault(module.path.parent, [])
        if not module.is_package:
            found[module.path.parent].append(module)
    return found


Arrows = dict[str, set[str]]
"""Who imports whom."""


def import_graph(packages: tuple[str, ...] = PACKAGES) -> grimp.ImportGraph:
    """All imports between the modules of the packages, those for type checking and inside functions included."""
    return grimp.build_graph(*packages, exclude_type_checking_imports=False, cache_dir=None)


def file_arrows(graph: grimp.ImportGraph) -> Arrows:
    """Imports between files."""
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}


def folder_arrows(graph: grimp.ImportGraph) -> dict[str, Arrows]:
    """By package that holds others: the imports between its children, a folder counting as one with all it holds.

    A file beside folders is a child of its own. So the children of one folder are compared, at every depth.
    """
    found: dict[str, Arrows] = {}
    for package in sorted(graph.modules):
        children = graph.find_children(package)
        if not any(graph.find_children(child) for child in children):
            continue
        inside = {module: child for child in children for module in (child, *graph.find_descendants(child))}
        arrows: Arrows = {child: set() for child in children}
        for module, child in inside.items():
            taken = {inside.get(other, child) for other in graph.find_modules_directly_imported_by(module)}
            arrows[child] |= taken - {child}
        found[package] = arrows
    return found


def circles(arrows: Arrows) -> list[list[str]]:
    """Groups whose members all reach each other: the largest sets of files or folders that only make sense together."""
    reach: dict[str, set[str]] = {}
    for start in arrows:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for other in arrows.get(waiting.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        reach[start] = seen
    groups = {frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in arrows if a in reach[a]}
    return sorted(sorted(group) for group in groups)


def arrows_up(arrows: Arrows) -> list[str]:
    """Imports between members of one circle: as long as there is one, no order of floors has all arrows going down."""
    return sorted(f"{a} -> {b}" for group in circles(arrows) for a in group for b in arrows[a] if b in group and a != b)


def figures(root: Path = ROOT) -> list[str]:
    """The house in lines to print: sizes, arrows and circles of each package, with the names of the largest."""
    graph = import_graph()
    within = folder_arrows(graph)
    lines = [f"{'package':15} {'files':>5} {'folders':>7} {'at its top':>10} {'arrows':>6} {'up':>3} {'circles':>7}"]
    for package in PACKAGES:
        house = modules(root, (package,))
        rooms = folders(house)
        mine = {name: arrows for name, arrows in within.items() if name.split(".")[0] == package}
        round_about = [c for c in circles(file_arrows(graph)) if c[0].split(".")[0] == package]
        up = [arrow for arrows in mine.values() for arrow in arrows_up(arrows)]
        count = sum(len(others) for arrows in mine.values() for others in arrows.values())
        lines.append(
            f"{package:15} {len(house):5} {len(rooms):7} {len(rooms[root / package]):10} {count:6} {len(up):3} "
            f"{len(round_about):7}"
        )
        lines += [f"  up: {arrow}" for arrow in up] + [f"  circle: {', '.join(circle)}" for circle in round_about]
    house = modules(root, PACKAGES)
    long = sorted(((size, f"{m.name}.{name}") for m in house.values() for name, size in functions(m)), reverse=True)
    big = sorted(((len(m.path.read_text().splitlines()), m.name) for m in house.values()), reverse=True)
    full = sorted(((len(inside), str(f.relative_to(root))) for f, inside in folders(house).items()), reverse=True)
    for what, ranked in (("longest functions", long), ("longest files", big), ("fullest folders", full)):
        lines.append(f"{what}: " + ", ".join(f"{name} {size}" for size, name in ranked[:5]))
    return lines


if __name__ == "__main__":
    print("\n".join(figures(Path.cwd())))
