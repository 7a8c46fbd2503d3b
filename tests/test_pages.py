"""The pages that people write: what they name exists, the words are explained, the findings are listed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
Names = set[str]


# ---- what a page names


PATH = re.compile(
    r"(?<![\w/.-])((?:xtitan_core|paper_exchange|live_runner|xtitan_assets|tests|drills|benchmarks|findings|docs|deploy)/[\w./-]*[\w/])"
)
PLACEHOLDERS = re.compile(r"NAME|<")


def lost_paths(page: str) -> Names:
    """Paths of this project that a page names and that do not exist."""
    named = {path for path in PATH.findall(page) if not PLACEHOLDERS.search(path)}
    return {path for path in named if not (ROOT / path).exists()}


@pytest.mark.parametrize(
    "page",
    sorted(
        str(p.relative_to(ROOT)) for p in [*DOCS.glob("*.md"), *ROOT.glob("README.md"), *ROOT.glob("[!.]*/README.md")]
    ),
)
def test_paths_that_a_page_names_exist(page: str) -> None:
    assert lost_paths((ROOT / page).read_text()) == set()


def test_a_path_that_moved_is_missed() -> None:
    said = "see `xtitan_core/symbols.py`, `paper_exchange/core.py` and .venv/bin/pytest tests/core/features"
    assert lost_paths(said) == {"paper_exchange/core.py"}


def lost_targets(page: str) -> Names:
    """What a page tells the reader to make and nothing makes: a target, a drill or a measurement."""
    from benchmarks.__main__ import NAMES as MEASUREMENTS
    from drills.__main__ import NAMES as DRILLS

    known = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    said = re.findall(r"`make ([a-z]+)(?: ARGS=\"?([\w ]+)\"?)?`", page)
    lost = {target for target, _ in said} - known
    for target, names in (("drill", DRILLS), ("bench", MEASUREMENTS)):
        lost |= {name for made, wanted in said if made == target for name in wanted.split()} - set(names)
    return lost


@pytest.mark.parametrize("page", sorted(str(p.relative_to(ROOT)) for p in [*DOCS.glob("*.md"), *ROOT.glob("*.md")]))
def test_what_a_page_says_to_make_can_be_made(page: str) -> None:
    assert lost_targets((ROOT / page).read_text()) == set()


def test_a_target_that_nothing_makes_is_missed() -> None:
    assert lost_targets('`make coffee`, `make drill ARGS="faults luck"` and `make bench ARGS=features`') == {
        "coffee",
        "luck",
    }


def unmapped(page: str, paths: Iterable[str]) -> Names:
    """Top folders of a list of paths that a page does not name as ``folder/`` in code."""
    tops = {path.split("/")[0] for path in paths if "/" in path}
    return {top for top in tops if not top.startswith(".")} - set(re.findall(r"`(\w+)/`", page))


def test_the_readme_names_every_top_folder() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: what belongs to the project cannot be told from what was made here")
    assert unmapped((ROOT / "README.md").read_text(), listed.stdout.splitlines()) == set()


def test_a_folder_that_the_readme_leaves_out_is_missed() -> None:
    assert unmapped("| `drills/` |", ["drills/a.py", "findings/b.py", ".ci/c", "Makefile"]) == {"findings"}


# ---- the glossary

GLOSSARY = DOCS / "glossary.md"
WORDS = """
symbol, tick, candle, contract type, family, stake, payout, commission, break-even, edge, proposal, buy, open contract,
settlement, intent, ledger, journal, halt, resume, arm, snapshot, bundle, manifest, champion, challenger, canary, promotion,
demotion, rollback, lineage, paper, demo, real, shadow, epoch, slot, role, run, book, venue, session, request, haircut, latch,
quarantine, tombstone, lockstep, drift, gate, reserved, spool, segment, registration, certificate, golden vectors
"""
"""The words of the design and those whose second meaning has caused mistakes."""


def missing_words(page: str, words: Iterable[str]) -> Names:
    """Words without a line of their own; a line may explain several."""
    explained = "".join(re.findall(r"^\| (\*\*.+?) \|", page, re.MULTILINE))
    return set(words) - set(re.findall(r"\*\*(.+?)\*\*", explained))


def glossary_words() -> Names:
    """The list above, as words."""
    return {word for word in re.split(r"[,\s]*\n|, ", WORDS) if word}


def test_the_glossary_explains_every_word() -> None:
    assert missing_words(GLOSSARY.read_text(), glossary_words()) == set()


def test_a_word_without_a_line_is_missed() -> None:
    bare = re.sub(r"^\| \*\*haircut\*\*.*\n", "", GLOSSARY.read_text(), flags=re.MULTILINE)
    assert missing_words(bare, glossary_words()) == {"haircut"}


def test_no_word_of_the_glossary_has_two_lines_in_one_table() -> None:
    for table in GLOSSARY.read_text().split("\n## "):
        words = re.findall(r"^\| (\*\*.+?) \|", table, re.MULTILINE)
        assert len(words) == len(set(words))


# ---- findings about other people's libraries


def rows(page: str) -> Names:
    """Names that have a table row of their own."""
    return set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE))


def problems_of_findings(readme: str, scripts: dict[str, str]) -> list[str]:
    """What is wrong with the list of findings: a script without a row or a row without one, a package without a pin."""
    wrong = [f"{name} has no script" for name in sorted(rows(readme) - scripts.keys())]
    wrong += [f"{name} has no row" for name in sorted(scripts.keys() - rows(readme))]
    for name, text in scripts.items():
        packages = [
            word
            for line in re.findall(r"(?:pip install|npm install) (.+)$", text, re.MULTILINE)
            for word in line.split()
            if not word.startswith("-")
        ]
        if not packages:
            wrong.append(f"{name} installs no package")
        wrong += [f"{name} does not pin {package}" for package in packages if not re.search(r"(==|.@)\d", package)]
        if re.search(r"^\s*(from|import) (xtitan|live_runner|paper_exchange)", text, re.MULTILINE):
            wrong.append(f"{name} imports x.titan")
    return wrong


def test_every_finding_is_listed_pinned_and_independent_of_us() -> None:
    scripts = {path.name: path.read_text() for path in (ROOT / "findings").glob("*.sh")}
    assert scripts
    assert problems_of_findings((ROOT / "findings" / "README.md").read_text(), scripts) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("echo nothing\n", "planted.sh installs no package"),
        ("venv/bin/pip install --quiet dagster>=1.13\n", "planted.sh does not pin dagster>=1.13"),
        ("npm install --silent @deriv/deriv-api ws@8.18.3\n", "planted.sh does not pin @deriv/deriv-api"),
        ("pip install dagster==1.13.27\nfrom xtitan_core import clock\n", "planted.sh imports x.titan"),
    ],
)
def test_a_careless_finding_is_noticed(text: str, problem: str) -> None:
    assert problems_of_findings("| `planted.sh` |\n", {"planted.sh": text}) == [problem]
    assert problems_of_findings("", {"planted.sh": text})[0] == "planted.sh has no row"
