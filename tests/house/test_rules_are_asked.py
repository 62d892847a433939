"""That no rule is without a table, and no refusal without a code of its own."""

import ast
from pathlib import Path

from skileez.contracts import meeting_link_rules, standing_rules
from skileez.contracts import rules as contract_rules
from skileez.sessions import (
    outcome_rules,
    presence_rules,
    recurrence,
    reschedule_rules,
    rules,
    series_rules,
)

RULES = (
    *(rules, outcome_rules, presence_rules, reschedule_rules, contract_rules),
    *(meeting_link_rules, recurrence, series_rules, standing_rules),
)

TABLES = Path(__file__).parents[1] / "rules"


def test_every_rule_is_asked_in_a_table() -> None:
    asked_here = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for path in TABLES.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    for module in RULES:
        source = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        named = {
            node.name
            for node in source.body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith(("_", "refuse_"))
        }
        assert named
        assert named <= asked_here, f"{module.__name__}: no table asks {named - asked_here}"


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes: dict[str, int] = {}
    for module in RULES:
        source = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        for node in ast.walk(source):
            match node:
                case ast.Call(
                    func=ast.Name(id="Refusal"), args=[ast.Constant(value=str(code)), *_]
                ):
                    codes[code] = codes.get(code, 0) + 1
    assert len(codes) > 30
    # Again where several sentences tell of one reason: choosing no time, notice in strict mode,
    # and the ways in which silence decides.
    assert {code for code, times in codes.items() if times > 1} == {
        "notice_too_short",
        "series_settled_by_silence",
        "settled_by_silence",
        "time_missing",
    }
