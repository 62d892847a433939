"""A rule stands in one place: its refusal code, its figures, its sentence.

Also run by ``make check``. It reads the source and runs none of it but the rules.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from tests.rules.table import rows

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "skileez"
DOORS = ("web", "api", "cli", "worker")
SMALLEST = 10  # 1, 2 and 3 stand for too many other things

RULES = sorted(PACKAGE.glob("*/*rules.py"))
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "versions" not in p.parts)
TEMPLATES = sorted(p for p in PACKAGE.rglob("templates/**/*") if p.is_file())
IN_DOORS = [p for p in MODULES if p.relative_to(PACKAGE).with_suffix("").parts[0] in DOORS]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def every_call(path: Path) -> list[tuple[str, ast.Call]]:
    """The calls of a module, each with the name that is called."""
    found = []
    for node in ast.walk(tree(path)):
        match node:
            case ast.Call(func=ast.Attribute(attr=called) | ast.Name(id=called)):
                found.append((called, node))
    return found


def calls(path: Path, *wanted: str) -> Iterator[ast.Call]:
    return (call for called, call in every_call(path) if called in wanted)


@cache
def limits() -> dict[int, str]:
    """Every whole number that a rules module gives a name to."""
    found = {}
    for path in RULES:
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for constant, value in vars(module).items():
            public = constant.isupper() and not constant.startswith("_")
            if public and type(value) is int and value >= SMALLEST:
                found[value] = f"{module.__name__}.{constant}"
    return found


def test_there_are_rules_to_look_at() -> None:
    assert len(RULES) >= 3
    assert len(limits()) >= 5


def test_a_refusal_code_belongs_to_one_feature() -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for path in MODULES:
        if path.name == "guards.py":  # the same refusals, where the database finds them first
            continue
        for call in calls(path, "Refusal"):
            if call.args and isinstance(call.args[0], ast.Constant):
                homes[str(call.args[0].value)].add(path.parent.name)
    assert homes
    assert {code: sorted(where) for code, where in homes.items() if len(where) > 1} == {}


@rows("path", IN_DOORS)
def test_a_door_refuses_nothing_by_itself(path: Path) -> None:
    assert [call.lineno for call in calls(path, "Refusal")] == []


@rows("path", IN_DOORS)
def test_a_door_takes_its_limits_from_the_rules(path: Path) -> None:
    written = [
        f"line {number.lineno}: {number.value} is {limits()[number.value]}"
        for call in calls(path, "Length", "NumberRange", "Rule", "dict")
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]
        for number in ast.walk(argument)
        if isinstance(number, ast.Constant) and type(number.value) is int
        if number.value in limits()
    ]
    assert written == []


@rows("path", MODULES)
def test_a_sentence_names_no_figure_of_its_own(path: Path) -> None:
    """Figures come from the rule: "needs %(needed)s", never "needs 48 hours"."""
    sentences = [
        (call.lineno, text.value)
        for call in calls(path, "N_", "_", "_l", "gettext", "lazy_gettext")
        for text in call.args[:1]
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    ]
    assert [s for s in sentences if FIGURE.search(s[1])] == []


@rows("path", MODULES)
def test_a_database_check_takes_its_limits_from_the_rules(path: Path) -> None:
    literal = [
        f"line {number.lineno}: {found} is {limits()[int(found)]}"
        for call in calls(path, "CheckConstraint")
        for argument in call.args
        for number in ast.walk(argument)
        if isinstance(number, ast.Constant)
        for found in re.findall(r"\b\d+\b", str(number.value))
        if int(found) in limits() and type(number.value) is not bool
    ]
    assert literal == []


FIGURE = re.compile(
    r"\b\d[\d,.]*\s*(?:h\b|hours?|min\b|minutes?|days?|characters?|sessions?\b|times\b)"
)
BOUND = re.compile(r"""\b(?:max|min|maxlength|minlength)=["']?\d+""")
CODE = re.compile(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


@rows("path", TEMPLATES)
def test_a_template_takes_its_limits_from_the_rules(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    written = CODE.sub(" ", source)
    assert FIGURE.findall(written) == []
    # min=0 and max=100 belong to a progress bar, not to a rule.
    bounds = [b for b in BOUND.findall(written) if not re.search(r"\b(min=\W?0|max=\W?100)$", b)]
    assert bounds == []
    marked = re.findall(r"""\b_\(\s*(["'])(.*?)\1""", source)
    assert [text for _, text in marked if FIGURE.search(text)] == []
