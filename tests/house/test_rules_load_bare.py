"""Rules need no web, no database and no settings: each loads where none of those exist."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
RULES = [
    *sorted((ROOT / "skileez").glob("*/*rules.py")),
    *sorted((ROOT / "skileez").glob("*/recurrence.py")),
]
LOAD = """
import importlib, importlib.abc, sys

ABSENT = {"alembic", "argon2", "flask", "jinja2", "psycopg", "sqlalchemy", "werkzeug", "wtforms"}
OURS = {"clock", "config", "db", "events", "models"}

class Wall(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        parts = name.split(".")
        if parts[0] in ABSENT or (parts[0] == "skileez" and parts[-1] in OURS):
            raise ImportError(f"a rule imports {name}")

sys.meta_path.insert(0, Wall())
for rules in sys.argv[1:]:
    for loaded in [name for name in sys.modules if name.partition(".")[0] == "skileez"]:
        del sys.modules[loaded]
    importlib.import_module(rules)
"""


def test_rules_load_bare() -> None:
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in RULES]
    loaded = subprocess.run([sys.executable, "-c", LOAD, *modules], capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr


def test_every_feature_with_verbs_has_rules() -> None:
    features = {path.parent.name for path in RULES}
    assert {"accounts", "contracts", "sessions"} <= features
