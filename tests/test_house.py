"""Guards of the house: names, sizes, docstrings, words, verbs and budgets stay what the documents say."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "aimwell"
MODULES = sorted(SOURCE.rglob("*.py"))
PACKAGES = sorted({path.parent for path in MODULES})

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "base2"}
LONGEST_FILE = 500
WORDS = [
    "Customer",
    "Identifier",
    "Event",
    "History",
    "Feature",
    "Tag",
    "Profile",
    "Segment",
    "Prediction",
    "Score",
    "Offer",
    "Creative",
    "Treatment",
    "Decision",
    "Journey",
    "Enrolment",
    "Touch",
    "Outcome",
    "Experiment",
    "Consent",
    "Lead",
    "Money",
    "Period",
    "Insight",
    "Strategy",
    "Content",
    "Delivery",
    "Evaluation",
    "Operation",
]
# Written so that this file does not match itself.
PLACES = re.compile(
    r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|deb[.]debian[.]org"
    r"|(?<![\w.~$])/(?:[w]ork|[r]oot|[h]ome/\w+|[U]sers/\w+|[o]pt/\w+)/"
)


def settings() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def committed_texts() -> list[tuple[str, str]]:
    """Path and text of each file under version control, new ones included, that is text."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    texts = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            texts.append((name, content.decode("utf-8", errors="replace")))
    return texts


def verbs() -> list[str]:
    return re.findall(r"^([a-z][\w-]*):(?!=)", read("Makefile"), re.MULTILINE)


def test_no_module_has_a_name_that_says_nothing() -> None:
    folders = [ROOT / name for name in ("src", "tests", "tools", "bench")]
    named = [path for folder in folders for path in folder.rglob("*") if path.stem in FORBIDDEN_NAMES]
    assert named == []


def test_no_source_file_is_longer_than_five_hundred_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in MODULES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }
    assert long == {}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.relative_to(SOURCE.parent)))
def test_every_package_says_in_its_first_line_what_it_is(package: Path) -> None:
    front = package / "__init__.py"
    assert front.is_file(), f"{package} has modules but no __init__.py"
    said = ast.get_docstring(ast.parse(front.read_text(encoding="utf-8")))
    assert said
    assert said.splitlines()[0].strip()


def test_tests_mirror_the_source() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    strange = [str(folder) for folder in folders if not (SOURCE / folder).is_dir()]
    assert strange == []


def test_the_glossary_defines_every_word_of_the_domain_in_both_languages() -> None:
    rows = dict(re.findall(r"^\| \*\*(.+?)\*\* \| (\S+) \|", read("docs/glossary.md"), re.MULTILINE))
    assert [word for word in WORDS if word not in rows] == []
    assert [word for word, chinese in rows.items() if not re.search(r"[\u4e00-\u9fff]", chinese)] == []


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    assert "## [Unreleased]" in read("CHANGELOG.md")


def test_decision_records_are_numbered_without_gaps_listed_and_dated() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    index = read("docs/decisions/README.md")
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}: "), path.name
        assert re.search(r"^Status: \w+, \w+ 20\d\d$", text, re.MULTILINE), path.name
        assert f"({path.name})" in index, path.name


def test_no_committed_file_names_a_registry_or_a_place_on_some_machine() -> None:
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for name, text in committed_texts()
        for match in PLACES.finditer(text)
    ]
    assert found == []


def test_there_are_at_most_ten_verbs_each_explained_to_contributors() -> None:
    assert 2 <= len(verbs()) <= 10
    explained = read("CONTRIBUTING.md")
    assert [verb for verb in verbs() if f"| `make {verb}` |" not in explained] == []


def test_every_verb_says_in_the_makefile_what_it_does() -> None:
    assert [verb for verb in verbs() if not re.search(rf"^{verb}:.*## \S", read("Makefile"), re.MULTILINE)] == []


def test_naive_now_is_banned_everywhere() -> None:
    rules = settings()["tool"]["ruff"]["lint"]
    assert "DTZ" in rules["select"]
    waived = {code for codes in rules["per-file-ignores"].values() for code in codes if code.startswith("DTZ")}
    # Tests and benches may write naive literals (UTC by contract), never ask for a naive "now" or "today".
    assert waived <= {"DTZ001"}
    assert not any(code.startswith("DTZ") for code in rules["ignore"])


def test_every_folder_of_the_package_has_its_place_in_the_import_contract() -> None:
    contracts = settings()["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["id"] == "layers")
    assert layers["exhaustive"]
    placed = {name.strip() for line in layers["layers"] for name in line.split("|")}
    assert placed == {path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file()} | {"__main__"}
    engines = next(contract for contract in contracts if contract["id"] == "engines")
    assert {f"aimwell.{name}" for name in placed - {"store", "__main__"}} == set(engines["source_modules"])


def test_every_mark_has_a_budget_that_the_documents_state(request: pytest.FixtureRequest) -> None:
    marks = {mark.split(":")[0] for mark in settings()["tool"]["pytest"]["ini_options"]["markers"]}
    budgets: dict[str, int] = request.getfixturevalue("budgets")
    assert set(budgets) == marks | {"fast"}
    written = dict(re.findall(r"^\| (\w+) \| (\d+) s \|", read("docs/testing.md"), re.MULTILINE))
    assert {mark: int(seconds) for mark, seconds in written.items()} == budgets


def test_continuous_integration_runs_the_command_of_the_documents() -> None:
    assert re.search(r"^make test$", read(".ci/run"), re.MULTILINE)
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
