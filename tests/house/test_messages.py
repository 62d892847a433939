"""What is marked for translation reaches the translators: `make messages` finds all of it."""

import ast
import re
from pathlib import Path

import pytest
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "skileez"
MARKS = ("N_", "_", "_l", "gettext", "lazy_gettext")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The messages that the Makefile's command collects."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    command = re.search(r"\$\(BIN\)/(pybabel .*)\s-o \S+ skileez$", makefile, re.MULTILINE)
    assert command
    catalog = tmp_path_factory.mktemp("messages") / "messages.pot"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        CommandLineInterface().run([*command[1].split(), "-o", str(catalog), "skileez"])
    with catalog.open("rb") as file:
        found = [message.id for message in read_po(file)]
    return {one[0] if isinstance(one, tuple) else one for one in found}


def test_every_marked_sentence_of_the_code_is_collected(collected: set[str]) -> None:
    marked = {
        call.args[0].value
        for path in PACKAGE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in MARKS
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }
    assert len(marked) > 100
    assert marked - collected == set()


def test_every_marked_sentence_of_the_pages_is_collected(collected: set[str]) -> None:
    marked = {
        text.replace("\\'", "'")
        for path in PACKAGE.rglob("templates/**/*.html")
        for text in re.findall(r"\b_\('((?:[^'\\]|\\.)+)'", path.read_text(encoding="utf-8"))
    }
    assert len(marked) > 100
    assert marked - collected == set()


def test_every_marked_sentence_of_the_mails_is_collected(collected: set[str]) -> None:
    marked = {
        re.sub(r"\{\{ (\w+) \}\}", r"%(\1)s", text)
        for path in (PACKAGE / "notifications" / "templates").iterdir()
        for text in re.findall(
            r"{% trans[^%]*%}(.+?){% (?:endtrans|pluralize)", path.read_text(encoding="utf-8")
        )
    }
    assert len(marked) > 50
    assert marked - collected == set()


def test_every_label_and_button_of_a_mail_is_marked() -> None:
    tree = ast.parse((PACKAGE / "notifications" / "letters.py").read_text(encoding="utf-8"))
    worded = {"_facts", "_place", "_steps", "_act", "when"}
    bodies = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name in worded]
    assert {one.name for one in bodies} == worded
    nodes = [node for one in bodies for node in ast.walk(one)]
    marked = {
        arg
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS
        for arg in node.args
    }
    docs = {one.body[0].value for one in bodies if isinstance(one.body[0], ast.Expr)}
    bare = [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node not in marked | docs
        and re.match(r"[A-Z][a-z]+( [a-z]+|$)|[a-z]+ [a-z]+", node.value)
    ]
    assert bare == []
