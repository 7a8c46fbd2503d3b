"""`xtitan keys`: the signing key of bundles."""

from __future__ import annotations

import argparse
from typing import Any

from xtitan_assets.commands.options import Subparsers, add_home, add_json, print_json, print_line
from xtitan_assets.workspace.errors import StepError
from xtitan_assets.workspace.paths import Home


def add(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "keys",
        help="show the signing key, making one on first use",
        description="Bundles are signed with an ed25519 key in keys/. The public half goes to the trading host "
        "(`live_runner start --public-key FILE`); the private half, readable by its owner only, stays here.",
    )
    add_home(parser)
    add_json(parser)
    parser.set_defaults(call=call)


def call(options: argparse.Namespace) -> int:
    home = Home.from_environment()
    key = signing_key(home)
    if options.json:
        print_json(key)
    else:
        for name, value in key.items():
            print_line(f"{name}: {value}")
    return 0


def signing_key(home: Home) -> dict[str, Any]:
    """Paths of the signing key; it is generated when there is none."""
    from xtitan_assets.steps.model.signed_bundle import signing_key as ensure
    from xtitan_core.bundle import keys

    try:
        private = ensure(home)
        public = keys.public_path(private)
        return {"private": str(private), "public": str(public), "id": keys.key_id(keys.load_public(public))}
    except keys.KeyFileError as error:
        raise StepError(f"{error}; restore {home.keys} from a backup, or move it away to make a new key") from error
