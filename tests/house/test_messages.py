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
