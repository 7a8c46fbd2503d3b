"""Which of our own files an asset's result depends on: the import closure of its function, read from the sources.

No module is imported for it, so loading the definitions stays light. What counts:

* the function in ``defs`` and the statements of its file that it uses by name, never its neighbours;
* every module of our packages that these import, and so on: imports inside functions too, imports under
  ``if TYPE_CHECKING`` not, since they never run;
* the ``__init__`` of every package on the way, since Python runs it;
* files of these packages that are not Python, such as a table a module reads.

A module counts as a whole. Comments, docstrings and layout do not count: no result depends on them, and a model that is
stale for their sake costs a training run and a registration. Libraries and the version of Python do not count either; a
Python that writes the same code differently can make assets stale once.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TypeGuard

from xtitan_assets.workspace.errors import PipelineError

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("xtitan_core", "paper_exchange", "live_runner", "xtitan_assets")
DEFINITIONS = "xtitan_assets.defs"

Import = ast.Import | ast.ImportFrom


class LineageError(PipelineError):
    """The code of an asset cannot be found."""


def code_version(asset: str) -> str:
    """First 12 hex digits of a hash of all code that decides what the asset computes.

    Raises:
        LineageError: no function of ``xtitan_assets/defs`` declares it.
    """
    return project().code_version(asset)


def stage(name: str, sections: Sequence[str]) -> Mapping[str, str]:
    """Asset metadata: the DVC stage that reproduces the asset, and the sections of params.yaml it reads."""
    return {"dvc/stage": name, "xtitan/params": ",".join(sections)}


@cache
def project() -> Sources:
    """The sources of this installation, read once."""
    return Sources(PROJECT)


@dataclass(frozen=True, slots=True)
class Declared:
    """An asset or an asset check as its file in ``defs`` declares it.

    Attributes:
        module: dotted name of the file.
        asset: the asset, or the asset that the check is of.
        check: name of the check; empty for an asset.
        blocking: a failure of the check stops the run.
        body: the function without its decorators, after the statements of the file that it uses, in source order.
    """

    module: str
    asset: str
    check: str
    blocking: bool
    body: tuple[ast.stmt, ...]


class Sources:
    """The source files of our packages under one folder, as they are now."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files = dict(_modules(root))
        self._parsed: dict[str, Parsed] = {}
        self._imported: dict[str, list[str]] = {}

    @property
    def modules(self) -> frozenset[str]:
        """Dotted names of all modules there are."""
        return frozenset(self._files)

    def closure(self, modules: Iterable[str]) -> frozenset[str]:
        """Dotted names of our modules that run when the given ones are imported, imports inside functions included."""
        found: set[str] = set()
        waiting = list(modules)
        while waiting:
            name = waiting.pop()
            if name in found or name not in self._files:
                continue
            found.add(name)
            if name not in self._imported:
                self._imported[name] = [*_ancestors(name), *self._named(self._module(name).imports, name)]
            waiting += self._imported[name]
        return frozenset(found)

    def of(self, declared: Declared) -> frozenset[str]:
        """The closure of one asset or check: all modules but the file in ``defs``, of which only the body counts."""
        return self.closure([*_ancestors(declared.module), *self._named(_imported(declared.body), declared.module)])

    @cached_property
    def assets(self) -> dict[str, Declared]:
        """Every asset by its name."""
        return {found.asset: found for found in self._declared if not found.check}

    @cached_property
    def checks(self) -> list[Declared]:
        """Every asset check."""
        return [found for found in self._declared if found.check]

    def code_version(self, asset: str) -> str:
        """See :func:`code_version`."""
        if asset not in self.assets:
            raise LineageError(f"{asset}: declared by no function with @dg.asset in {DEFINITIONS}; its code is unknown")
        declared = self.assets[asset]
        digest = hashlib.sha256()
        used = self.of(declared)
        for name in sorted(used):
            digest.update(name.encode() + self._module(name).digest)
        for path in self.data_files(used):
            digest.update(path.relative_to(self.root).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
        digest.update("\n".join(ast.unparse(statement) for statement in declared.body).encode())
        return digest.hexdigest()[:12]

    def files(self, modules: Iterable[str]) -> list[Path]:
        """The files of modules and the data files of their packages, sorted."""
        chosen = set(modules)
        return sorted({*(self._files[name] for name in chosen), *self.data_files(chosen)})

    def data_files(self, modules: Iterable[str]) -> list[Path]:
        """Files that are not Python and lie in the packages that the modules are of, sorted."""
        folders = {self._files[name].parent for name in modules}
        return [path for folder, path in self._data if folder in folders]

    @cached_property
    def _data(self) -> list[tuple[Path, Path]]:
        """Each data file with the innermost package it lies in."""
        packages = {path.parent for path in self._files.values()}
        found = []
        for package in PACKAGES:
            for path in sorted((self.root / package).rglob("*")):
                if path.is_file() and path.suffix not in (".py", ".pyc") and not path.name.startswith("."):
                    found.append((next(parent for parent in path.parents if parent in packages), path))
        return found

    @cached_property
    def _declared(self) -> list[Declared]:
        inside = [name for name in self._files if name.startswith(DEFINITIONS + ".")]
        return [found for name in sorted(inside) for found in _declarations(name, self._module(name).body)]

    def _module(self, name: str) -> Parsed:
        if name not in self._parsed:
            self._parsed[name] = _parse(self._files[name].read_bytes())
        return self._parsed[name]

    def _named(self, imports: Iterable[Import], inside: str) -> list[str]:
        """Modules of ours that import statements of a module name."""
        package = inside if self._files[inside].name == "__init__.py" else inside.rpartition(".")[0]
        found = []
        for node in imports:
            if isinstance(node, ast.Import):
                found += [alias.name for alias in node.names]
            else:
                start = package.rsplit(".", node.level - 1)[0] + "." if node.level else ""
                base = (start + (node.module or "")).rstrip(".")
                found += [base, *(f"{base}.{alias.name}" for alias in node.names)]
        # A dotted name may end in a function or a class: what is not the name of a file is dropped.
        return [name for name in found if name in self._files]


@dataclass(frozen=True, slots=True)
class Parsed:
    """One module without its docstrings.

    Attributes:
        body: its statements.
        digest: SHA-256 of the same written as Python, with a layout of its own and no comments.
        imports: its import statements, at any depth.
    """

    body: tuple[ast.stmt, ...]
    digest: bytes
    imports: tuple[Import, ...]


@lru_cache(maxsize=1_024)
def _parse(source: bytes) -> Parsed:
    tree = _without_docstrings(ast.parse(source))
    digest = hashlib.sha256(ast.unparse(tree).encode()).digest()
    return Parsed(tuple(tree.body), digest, tuple(_imported(tree.body)))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """Remove every statement that is only a string: docstrings, and the sentences beneath attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            kept = [statement for statement in node.body if not _is_text(statement)]
            node.body = kept or ([] if isinstance(node, ast.Module) else [ast.Pass()])
    return tree


def _is_text(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _modules(root: Path) -> Iterator[tuple[str, Path]]:
    """Dotted name and file of every module of our packages."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _ancestors(name: str) -> list[str]:
    """The packages around a module, outermost first."""
    parts = name.split(".")
    return [".".join(parts[:depth]) for depth in range(1, len(parts))]


def _imported(nodes: Iterable[ast.AST]) -> Iterator[Import]:
    """Import statements at any depth, but for those that only a type checker follows."""
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif _is_for_types(node):
            yield from _imported(node.orelse)
        else:
            yield from _imported(ast.iter_child_nodes(node))


def _is_for_types(node: ast.AST) -> TypeGuard[ast.If]:
    """Whether a node is ``if TYPE_CHECKING``."""
    test = node.test if isinstance(node, ast.If) else None
    return (test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")) == "TYPE_CHECKING"


def _declarations(module: str, statements: Sequence[ast.stmt]) -> Iterator[Declared]:
    """The assets and checks that a file of ``defs`` declares by decorator, in source order."""
    for statement in statements:
        if not isinstance(statement, ast.FunctionDef):
            continue
        for decorator in statement.decorator_list:
            kind = _declares(decorator)
            if not kind:
                continue
            given = _constants(decorator)
            name = str(given.get("name", statement.name))
            asset = name if kind == "asset" else str(given["asset"])
            body = _used_by(statement, statements)
            yield Declared(module, asset, "" if kind == "asset" else name, given.get("blocking") is True, body)


def _declares(decorator: ast.expr) -> str:
    """What a decorator declares, ``asset`` or ``asset_check``; empty when it declares neither."""
    called = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator).removeprefix("dg.")
    return called if called in ("asset", "asset_check") else ""


def _constants(decorator: ast.expr) -> dict[str, object]:
    """Keyword arguments of a decorator that are constants."""
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    return {k.arg: k.value.value for k in keywords if k.arg and isinstance(k.value, ast.Constant)}


def _used_by(function: ast.FunctionDef, statements: Sequence[ast.stmt]) -> tuple[ast.stmt, ...]:
    """The function without the decorator that declares it, after the statements of its file that it reaches by name.

    Of an import only the names in use are kept. A statement that does more than bind names is run whenever the file is
    imported, and is kept as well.
    """
    bare = copy.copy(function)
    bare.decorator_list = [decorator for decorator in function.decorator_list if not _declares(decorator)]
    others = [statement for statement in _run(statements) if statement is not function]
    kept = [statement for statement in others if not any(True for _ in _binds(statement))]
    names = _names(bare).union(*map(_names, kept))
    while new := [s for s in others if s not in kept and not names.isdisjoint(_binds(s))]:
        kept += new
        names = names.union(*map(_names, new))
    return (*(_only(statement, names) for statement in others if statement in kept), bare)


def _run(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that are run: of ``if TYPE_CHECKING`` only what stands under its ``else``."""
    for statement in statements:
        yield from _run(statement.orelse) if _is_for_types(statement) else (statement,)


def _binds(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement at the top of a file defines; none when it does anything else or nobody can tell."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.Import() | ast.ImportFrom() if all(alias.name != "*" for alias in statement.names):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
        case ast.Assign() | ast.AnnAssign():
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            # An assignment to an attribute or an item changes what somebody else may have by another name.
            if not any(isinstance(n, ast.Attribute | ast.Subscript) for target in targets for n in ast.walk(target)):
                yield from (
                    n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
                )


def _names(node: ast.AST) -> set[str]:
    """Names in use anywhere in a node, those in annotations that are written as texts too."""
    found = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    for owner in ast.walk(node):
        for annotation in (getattr(owner, "annotation", None), getattr(owner, "returns", None)):
            for part in ast.walk(annotation) if isinstance(annotation, ast.expr) else ():
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    found.update(re.findall(r"\w+", part.value))
    return found


def _only(statement: ast.stmt, names: set[str]) -> ast.stmt:
    """An import without the names that nobody uses; any other statement as it is."""
    if isinstance(statement, ast.ImportFrom):
        used = [alias for alias in statement.names if alias.name == "*" or (alias.asname or alias.name) in names]
        return ast.ImportFrom(statement.module, used, statement.level)
    if isinstance(statement, ast.Import):
        return ast.Import([a for a in statement.names if (a.asname or a.name.partition(".")[0]) in names])
    return statement
