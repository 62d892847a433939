"""The documents are true: no dead link, no name that is not in the code, no setting left out."""

import ast
import importlib
import inspect
import re
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from types import ModuleType

import click

from skileez import cli
from skileez.config import DEFAULT_SECRET, Settings
from tests.rules.table import rows

ROOT = Path(__file__).parents[2]
ADR = ROOT / "docs" / "adr"
README = ROOT / "README.md"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NAMED_FILE = re.compile(r"`((?:\.ci|skileez|tests|docs|bench|scripts|deploy)/[\w./-]+)")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
NAMED_CODE = re.compile(r"`(skileez(?:\.\w+)+)(?:\([^`]*\))?`")
NAMED_TARGET = re.compile(r"\bmake ([a-z][\w-]*)")
NAMED_COMMAND = re.compile(r"(?:^|[`|]|\| |/bin/|exec |app )skileez ([a-z][a-z-]+)", re.MULTILINE)
SETTING = re.compile(r"^\| `([A-Z][A-Z_]+)` \| (.*?) \|", re.MULTILINE)
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`|^```.*?^```", re.MULTILINE | re.DOTALL)


@cache
def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """The anchors that a forge makes of the headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in HEADING.findall(FENCE.sub("", read(path)))
    }


@rows("path", DOCUMENTS)
def test_every_link_leads_somewhere(path: Path) -> None:
    dead = []
    for link in LINK.findall(FENCE.sub("", read(path))):
        if re.match(r"\w+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        missing = not target.exists()
        if missing or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@rows("path", DOCUMENTS)
def test_every_file_named_in_a_document_exists(path: Path) -> None:
    named = NAMED_FILE.findall(read(path))
    assert [file for file in named if not (ROOT / file).exists()] == []


def exists(dotted: str) -> bool:
    """Whether ``skileez.module.Class.member`` can be had."""
    parts = dotted.split(".")
    found: object = importlib.import_module(parts[0])
    for number, part in enumerate(parts[1:], 2):
        if isinstance(found, ModuleType) and not hasattr(found, part):
            try:
                found = importlib.import_module(".".join(parts[:number]))
            except ModuleNotFoundError:
                return False
            continue
        if inspect.getattr_static(found, part, MISSING) is MISSING:
            return part in getattr(found, "__dataclass_fields__", {})
        found = getattr(found, part)
    return True


@rows("path", DOCUMENTS)
def test_every_name_of_the_code_in_a_document_exists(path: Path) -> None:
    assert [dotted for dotted in NAMED_CODE.findall(read(path)) if not exists(dotted)] == []


@cache
def defined_in(path: Path) -> set[str]:
    return {one.name for one in ast.parse(read(path)).body if isinstance(one, ast.FunctionDef)}


@rows("path", DOCUMENTS)
def test_every_test_named_in_a_document_exists(path: Path) -> None:
    named = NAMED_TEST.findall(read(path))
    assert [f"{file}::{test}" for file, test in named if test not in defined_in(ROOT / file)] == []


@rows("path", DOCUMENTS)
def test_every_command_named_in_a_document_exists(path: Path) -> None:
    code = "\n".join(CODE.findall(read(path)))
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))
    assert set(NAMED_TARGET.findall(code)) - targets == set()
    assert set(NAMED_COMMAND.findall(code)) - set(cli.main.commands) == set()


def commands(group: click.Group, before: str = "") -> list[str]:
    """What can be run, the commands of a group by both their words."""
    found = []
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            found += commands(one, f"{before}{name} ")
        else:
            found.append(before + name)
    return found


def test_the_readme_has_every_command() -> None:
    table = re.findall(r"^\| `skileez ([a-z -]+[a-z])", read(README), re.MULTILINE)
    assert sorted(table) == sorted(commands(cli.main))


def test_every_decision_is_listed() -> None:
    pages = {path.name for path in ADR.glob("[0-9]*.md")}
    assert pages
    listed = set(LINK.findall(read(ADR / "README.md")))
    assert sorted(pages - listed) == []


def test_every_decision_has_its_parts_and_its_number() -> None:
    for path in ADR.glob("[0-9]*.md"):
        text = read(path)
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        assert re.search(r"^Status: \w+, \d{4}-\d\d-\d\d", text, re.MULTILINE), path.name
        parts = ["Context", "Decision", "Consequences", "Where it lives"]
        assert HEADING.findall(text)[1:] == parts, path.name


def written_settings() -> dict[str, str]:
    """The README's tables: each variable with its default, a dash where it has none."""
    return {name: default.strip("`") for name, default in SETTING.findall(read(README))}


def shown(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return "–" if default in ("", DEFAULT_SECRET) else str(default)


def known_settings() -> dict[str, str]:
    """Every variable that is read: the settings, and those beside a command's options."""
    known = {one.name.upper(): shown(one.default) for one in fields(Settings)}
    for command in cli.main.commands.values():
        for option in command.params:
            if isinstance(option, click.Option) and option.envvar:
                off = option.is_flag and option.default is not True
                known[str(option.envvar)] = "–" if off else shown(option.default)
    return known | {"SKILEEZ_DEMO_DB": cli.DEMO_DATABASE}


def test_the_readme_has_every_setting_with_its_default_and_no_other() -> None:
    assert written_settings() == known_settings()


def test_no_other_variable_is_read() -> None:
    read_by_name = {
        variable
        for path in (ROOT / "skileez").rglob("*.py")
        for variable in re.findall(r"os\.environ(?:\.get\(|\[)\W*(\w+)", read(path))
    }
    assert read_by_name - known_settings().keys() == set()


def test_every_question_that_a_rule_answers_is_in_the_table() -> None:
    """CONTRIBUTING's "where is the rule for …?" leaves no ``may_*`` out."""
    rules = {
        f"{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}.{node.name}"
        for path in (ROOT / "skileez").glob("*/*rules.py")
        for node in ast.parse(read(path)).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("may_")
    }
    assert rules - set(NAMED_CODE.findall(read(ROOT / "CONTRIBUTING.md"))) == set()
