"""Find code that nothing uses: ``make dead``.

Vulture reads Python only, so it is told what the rest uses: the names in templates, the columns
(the database uses them), and the methods that the source document promises to its readers. Tests
do not count as use.
"""

import re
import sys
from pathlib import Path

from vulture.core import Vulture

from skileez.availability.rules import WEEKDAYS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "skileez"

# Called by what they decorate.
DECORATORS = [
    "@*.app_errorhandler", "@*.app_context_processor", "@*.before_request", "@*.after_request",
    "@*.command", "@*.context_processor", "@*.delete", "@*.errorhandler", "@*.expression",
    "@*.get", "@*.group", "@*.listens_for", "@*.post", "@*.route", "@*.teardown_appcontext",
    "@*.teardown_request", "@*.template_filter", "@*.user_loader", "@click.*", "@validates",
]  # fmt: skip

# Set or called by name from outside: SQLAlchemy, sqlite3, Flask, Jinja, Flask-Login, WTForms,
# Prometheus, huey, signal; and counts that are read through ``asdict``.
FRAMEWORK = {
    "__mapper_args__", "cache_ok", "impl", "load_dialect_impl", "process_bind_param",
    "process_result_value", "metadata", "record", "instances", "isolation_level",
    "session_protection", "immutable", "permanent", "is_anonymous", "is_authenticated",
    "is_active", "get_id", "validate_*", "Meta", "field_flags", "process_formdata", "to_python",
    "to_url", "render_kw", "_value", "_update_remember_cookie", "html_params", "wrap_formdata",
    "translations", "_extract_indices", "jinja_environment", "ensure_sync", "collect",
    "process_data", *WEEKDAYS,
    "widget", "periodic_task_seconds", "scheduler_class", "_set_signal_handlers", "frame",
    "retried", "context_class",
}  # fmt: skip

# The wiring, named to the server.
ENTRIES = {"create_app"}

# The source document's methods of a session, and ``can_x`` beside every ``x``; people call them
# from the shell.
PROMISED = {
    "can_*",
    "is_reschedule_allowed", "can_request_reschedule", "request_reschedule", "approve_reschedule",
    "decline_reschedule", "mark_completed", "mark_missed", "cancel_session", "get_status_display",
    "get_time_until_session", "is_overdue", "can_be_completed",
}  # fmt: skip

TEMPLATE_CODE = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)
NAME = re.compile(r"[A-Za-z_]\w*")
COLUMN = re.compile(r"^    (\w+): Mapped\[", re.MULTILINE)
# Members of an enum are used by value.
MEMBER = re.compile(r"^    ([A-Z][A-Z_]*) = \"", re.MULTILINE)


def names_in_templates() -> set[str]:
    code = (
        piece
        for path in PACKAGE.rglob("templates/**/*")
        if path.is_file()
        for piece in TEMPLATE_CODE.findall(path.read_text(encoding="utf-8"))
    )
    return {name for piece in code for name in NAME.findall(piece)}


def columns_and_members() -> set[str]:
    sources = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    return {name for source in sources for name in COLUMN.findall(source) + MEMBER.findall(source)}


def names_in_quotes() -> set[str]:
    """A setting may be asked for by name: ``failures("sign_in_failures_per_account")``."""
    sources = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    return {name for source in sources for name in re.findall(r'"([a-z_]+)"', source)}


def main() -> int:
    names = FRAMEWORK | ENTRIES | PROMISED | names_in_templates() | columns_and_members()
    vulture = Vulture(ignore_names=sorted(names), ignore_decorators=DECORATORS)
    vulture.scavenge([str(PACKAGE)], exclude=["*/migrations/*"])
    quoted = names_in_quotes()
    dead = [
        item
        for item in vulture.get_unused_code(min_confidence=60)
        if not (item.filename.name == "config.py" and item.name in quoted)
    ]
    for item in dead:
        where = item.filename.relative_to(ROOT)
        print(f"{where}:{item.first_lineno}: {item.message}")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())
