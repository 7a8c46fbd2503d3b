"""The code that each stage of dvc.yaml depends on: all that its assets, and the checks that can stop it, import.

python -m xtitan_assets.runs.stages            says what dvc.yaml lacks and what it names too much; exit code 1 then
python -m xtitan_assets.runs.stages --write    rewrites those lines of dvc.yaml
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from xtitan_assets.defs.automation.jobs import JOBS
from xtitan_assets.runs.plans import NEEDS
from xtitan_assets.workspace.lineage import PACKAGES, PROJECT, Sources

RUN = "xtitan run "


def code_deps(sources: Sources, command: str) -> list[str]:
    """Files and whole folders of code that a stage's command depends on, relative to the project, sorted.

    A stage that runs jobs depends on their assets and blocking checks, each with its import closure and its file in
    ``defs``; DVC sees whole files, so a change of one asset's body counts for the others of its file here. The stage
    that makes the sample market depends on no code: days on disk are not written again, so running it again after a
    change would do nothing, and dvc.lock would record the old days as made by the new code.
    """
    if not command.startswith(RUN):
        return []
    assets = {asset for job in NEEDS[command.removeprefix(RUN)] for asset in JOBS[job][0]}
    stopping = [check for check in sources.checks if check.blocking and check.asset in assets]
    modules: set[str] = set()
    for declared in [*(sources.assets[asset] for asset in assets), *stopping]:
        modules |= {declared.module, *sources.of(declared)}
    chosen = set(sources.files(modules))
    everything = sources.files(sources.modules)
    named = [path for package in PACKAGES for path in _named(sources.root / package, chosen, everything)]
    return [path.relative_to(sources.root).as_posix() for path in named]


def _named(folder: Path, chosen: set[Path], everything: Iterable[Path]) -> list[Path]:
    """The chosen files of a folder; the folder itself when they are all of its files."""
    inside = [path for path in everything if folder in path.parents]
    if not chosen.intersection(inside):
        return []
    if chosen.issuperset(inside):
        return [folder]
    files = [path for path in inside if path.parent == folder and path in chosen]
    below = sorted({folder / path.relative_to(folder).parts[0] for path in inside if path.parent != folder})
    return sorted([*files, *(found for child in below for found in _named(child, chosen, inside))])


def differences(text: str, sources: Sources) -> list[str]:
    """What is wrong with the code that dvc.yaml names: one line for each file or folder."""
    found = []
    for name, stage in yaml.safe_load(text)["stages"].items():
        wanted, given = code_deps(sources, stage["cmd"]), [dep for dep in stage.get("deps", []) if is_code(dep)]
        found += [f"stage {name} lacks {dep}" for dep in wanted if dep not in given]
        found += [f"stage {name} does not depend on {dep}" for dep in given if dep not in wanted]
    return found


def is_code(dep: str) -> bool:
    """Whether a dependency of a stage lies in one of our packages."""
    return dep.partition("/")[0] in PACKAGES


def rewritten(text: str, sources: Sources) -> str:
    """dvc.yaml with the code that each stage depends on; every other line stays as it is."""
    commands = {name: stage["cmd"] for name, stage in yaml.safe_load(text)["stages"].items()}
    lines: list[str] = []
    stage, in_deps = "", False
    for line in [*text.splitlines(), ""]:
        if in_deps and not line.startswith("      "):
            lines += [f"      - {dep}" for dep in code_deps(sources, commands[stage])]
            in_deps = False
        if line.startswith("  ") and line[2:].rstrip(":") in commands:
            stage = line[2:].rstrip(":")
        in_deps = in_deps or line == "    deps:"
        if not (in_deps and is_code(line.removeprefix("      - "))):
            lines.append(line)
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m xtitan_assets.runs.stages", description="Code that DVC stages watch"
    )
    parser.add_argument("--write", action="store_true", help="rewrite dvc.yaml instead of saying what is wrong with it")
    parser.add_argument("--file", type=Path, default=PROJECT / "dvc.yaml", help="default: the project's dvc.yaml")
    options = parser.parse_args(arguments)
    sources, text = Sources(PROJECT), options.file.read_text()
    found = differences(text, sources)
    if options.write and found:
        options.file.write_text(rewritten(text, sources))
    sys.stdout.writelines(line + "\n" for line in found)
    return 1 if found and not options.write else 0


if __name__ == "__main__":
    sys.exit(main())
