"""`xtitan doctor`: is this machine ready for the pipeline?"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from xtitan_assets.commands.options import Subparsers, add_workspace, print_json, print_line, workspace
from xtitan_assets.workspace.params import Params
from xtitan_assets.workspace.paths import Home

REQUIRED = ("dagster", "dagster-webserver", "mlflow", "dvc", "great-expectations", "pandas", "torch", "onnxruntime")


class Answer(NamedTuple):
    """One line of the doctor's report; ``required`` decides the exit code."""

    name: str
    good: bool
    text: str
    required: bool = True


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "doctor",
        help="check this machine, its packages and the venue",
        description="Check packages, Dagster's selection parser, folders, signing key and venue. Exit code 1 when "
        "something the pipeline needs is missing; lines marked `note` are only that.",
    )
    add_workspace(parser)
    parser.set_defaults(call=call)


def call(options: argparse.Namespace) -> int:
    home, params = workspace(options)
    answers = [ask(home, params) for ask in QUESTIONS]
    if options.json:
        print_json([answer._asdict() for answer in answers])
    else:
        for answer in answers:
            mark = "ok" if answer.good else "FAIL" if answer.required else "note"
            print_line(f"{mark:4} {answer.name}: {answer.text}")
    return int(any(answer.required and not answer.good for answer in answers))


def python(home: Home, params: Params) -> Answer:
    text = ".".join(map(str, sys.version_info[:3]))
    return Answer("python", (3, 11) <= sys.version_info[:2] < (3, 14), text)


def packages(home: Home, params: Params) -> Answer:
    missing, present = [], []
    for name in REQUIRED:
        try:
            present.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Answer("packages", False, f"missing {', '.join(missing)}; run `make install`")
    return Answer("packages", True, ", ".join(present))


def selection_parser(home: Home, params: Params) -> Answer:
    from dagster import AssetSelection

    try:
        AssetSelection.from_string("ticks_raw+")
    except TypeError:
        return Answer("selection", False, "Dagster's parser found ANTLR 4.9; install with constraints/dev.txt")
    return Answer("selection", True, "Dagster parses asset selections beside DVC")


def folders(home: Home, params: Params) -> Answer:
    for folder in (home.data, home.mlruns, home.dagster):
        probe = folder if folder.exists() else folder.parent
        if not os.access(probe, os.W_OK):
            return Answer("folders", False, f"{probe} is not writable")
    return Answer("folders", True, f"data in {home.data}, Dagster in {home.dagster}")


def signing(home: Home, params: Params) -> Answer:
    from xtitan_assets.steps.model.signed_bundle import SIGNING_KEY

    private = home.keys / SIGNING_KEY
    if not private.exists():
        return Answer("keys", False, "no signing key yet; it is made on first use", required=False)
    if private.stat().st_mode & 0o077:
        return Answer("keys", False, f"{private} can be read by others; chmod 600 it")
    return Answer("keys", True, str(private))


def ticks(home: Home, params: Params) -> Answer:
    from xtitan_assets.steps.ingest.ticks import days_on_disk

    stored = days_on_disk(home, params.data.symbol)
    text = f"{len(stored)} days of {params.data.symbol}, newest {stored[-1]}" if stored else "none yet"
    return Answer("ticks", bool(stored), text, required=False)


def venue(home: Home, params: Params) -> Answer:
    from xtitan_assets.steps.ingest.ticks import day_of
    from xtitan_assets.steps.ingest.venue import venue_epoch
    from xtitan_assets.workspace.errors import StepError

    try:
        now = venue_epoch(params)
    except StepError as error:
        return Answer("venue", False, str(error), required=False)
    return Answer("venue", True, f"{params.venue.url}, its day is {day_of(now)}")


def dvc(home: Home, params: Params) -> Answer:
    ready = Path(home.root / ".dvc").is_dir() and Path(home.root / "dvc.yaml").is_file()
    return Answer("dvc", ready, "dvc.yaml found" if ready else f"no .dvc in {home.root}", required=False)


QUESTIONS: tuple[Callable[[Home, Params], Answer], ...] = (
    python,
    packages,
    selection_parser,
    folders,
    signing,
    ticks,
    venue,
    dvc,
)
