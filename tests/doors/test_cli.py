"""The command line, as the operator types it."""

import mailbox
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import text, update

from skileez import cli, clock, db, events
from skileez.accounts import actions, passwords
from skileez.accounts.models import Person
from skileez.contracts.models import Contract
from skileez.sessions.models import Session
from tests.cast import HOUR, NOW, enter
from tests.conftest import unbound_after

SECRET = "a secret key that is only good for tests"


@pytest.fixture
def environment(database: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database,
        "SECRET_KEY": SECRET,
        "PASSWORD_TIME_COST": "1",
        "PASSWORD_MEMORY_KIB": "8",
    }


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    path = tmp_path / "cli.db"
    path.write_bytes(sqlite_template.read_bytes())
    yield {"DATABASE_URL": f"sqlite:///{path}", "SECRET_KEY": SECRET, "PASSWORD_MEMORY_KIB": "8"}
    db.session.remove()
    db.session.configure(bind=None)


def run(environment: dict[str, str], *arguments: str, **given: Any) -> Result:
    bound = db.session.session_factory.kw.get("bind")
    db.session.remove()
    if bound is not None:
        bound.dispose()
    return CliRunner(env=environment).invoke(cli.main, list(arguments), **given)


def test_help_names_every_command_at_once() -> None:
    answer = run({}, "--help")
    assert answer.exit_code == 0
    for command in [
        "audit",
        "config",
        "create-admin",
        "demo",
        "migrate",
        "reset-link",
        "serve",
        "shell",
        "sweep",
        "timezones",
    ]:
        assert re.search(rf"^  {command} ", answer.output, re.M), command


def test_migrating_twice_is_as_good_as_once(bare_database: str) -> None:
    environment = {"DATABASE_URL": bare_database}
    for _ in range(2):
        assert run(environment, "migrate").exit_code == 0
    db.bind(bare_database)
    assert Person.query.count() == 0


def test_a_setting_that_cannot_be_used_is_named(sqlite: dict[str, str]) -> None:
    answer = run({**sqlite, "SESSION_MIN_NOTICE_HOURS": "ten"}, "sweep")
    assert answer.exit_code == 1
    assert answer.output == "Error: SESSION_MIN_NOTICE_HOURS: 'ten' is not a whole number\n"
    answer = run({**sqlite, "SECRET_KEY": ""}, "serve")
    assert answer.exit_code == 1
    assert "SECRET_KEY" in answer.output


ON_THE_DATABASE = [
    ["audit"],
    ["create-admin", "ruth@example.org"],
    ["reset-link", "ruth@example.org"],
    ["shell"],
    ["sweep"],
    ["timezones", "refresh"],
    ["timezones", "show"],
    ["worker"],
]


@pytest.mark.parametrize("command", ON_THE_DATABASE, ids=" ".join)
def test_a_database_that_was_never_migrated_is_told_of(
    bare_database: str, command: list[str]
) -> None:
    answer = run({"DATABASE_URL": bare_database, "SECRET_KEY": SECRET}, *command)
    assert answer.exit_code == 1
    assert re.fullmatch(
        r"Error: DATABASE_URL: has schema None, .*; run: skileez migrate\n", answer.output
    )


@pytest.mark.parametrize("command", [["migrate"], *ON_THE_DATABASE], ids=" ".join)
def test_a_database_that_is_not_there_is_told_of_without_its_password(command: list[str]) -> None:
    url = f"postgresql://ruth:hush@127.0.0.1:{free_port()}/skileez"
    with unbound_after():
        answer = run({"DATABASE_URL": url, "SECRET_KEY": SECRET}, *command)
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: DATABASE_URL: cannot be reached: ")
    assert "hush" not in answer.output


def test_a_database_that_cannot_be_migrated_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear Ruth, this is a letter and no database at all. " * 9)
    for url, problem in {
        "notaurl": "must start with sqlite:/// or postgresql://",
        "mysql://host/name": "must start with sqlite:/// or postgresql://",
        "postgresql://ruth:hu@sh@127.0.0.1/name": "an @ in its user, word or name is written %40",
        f"sqlite:///{tmp_path}": "cannot be reached: unable to open database file",
        f"sqlite:///{tmp_path}/letter": "cannot be reached: file is not a database",
        f"sqlite:///{tmp_path}/letter/of.db": "its folder cannot be made: ",
    }.items():
        answer = run({}, "migrate", "--url", url)
        assert answer.exit_code == 1
        assert answer.output.startswith(f"Error: DATABASE_URL: {problem}"), url


def test_a_database_of_a_newer_version_is_not_migrated(sqlite: dict[str, str]) -> None:
    db.bind(sqlite["DATABASE_URL"])
    with db.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = run(sqlite, "migrate")
    assert answer.exit_code == 1
    assert "Error: DATABASE_URL: cannot be migrated by this version (" in answer.output
    assert "9999" in answer.output


def test_a_package_that_the_database_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    answer = run({}, "migrate", "--url", "postgresql://127.0.0.1/skileez")
    assert answer.exit_code == 1
    assert answer.output.endswith("not installed: pip install '.[postgres]'\n")


def test_a_figure_out_of_range_is_refused_before_anything_is_served(
    sqlite: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_serve", lambda *given, **named: pytest.fail("it served"))
    for command in [
        ["serve", "--port=99999"],
        ["serve", "--port=0"],
        ["serve", "--workers=0"],
        ["serve", "--threads=-1"],
        ["demo", "--port=99999"],
    ]:
        answer = run(sqlite, *command)
        assert answer.exit_code == 2, command
        assert "is not in the range 1<=x<=" in answer.output


def test_an_address_that_cannot_be_served_at_is_told_of(
    sqlite: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_serve", lambda *given, **named: None)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        taken = run(sqlite, "serve", "--no-worker", "--port", port)
    assert taken.exit_code == 1
    assert f"Cannot serve at 127.0.0.1, port {port}: Address already in use\n" in taken.output
    named = run(sqlite, "serve", "--no-worker", "--host=nowhere", "--port", port)
    assert named.exit_code == 1
    assert f"Cannot serve at nowhere, port {port}: 'nowhere' does not appear" in named.output
    for host in ("127.0.0.1", "0.0.0.0"):
        assert run(sqlite, "serve", "--no-worker", "--host", host, "--port", port).exit_code == 0


def test_settings_are_shown_without_secrets(sqlite: dict[str, str]) -> None:
    url = "postgresql://ruth:hush@db.example.org/skileez"
    answer = run({**sqlite, "DATABASE_URL": url, "SESSION_STRICT_NOTICE": "yes"}, "config")
    assert answer.exit_code == 0
    assert "SESSION_STRICT_NOTICE=True" in answer.output
    assert "SECRET_KEY=(set)" in answer.output
    assert "db.example.org" in answer.output
    assert "hush" not in answer.output
    assert SECRET not in answer.output


def test_an_administrator_is_made_or_appointed(environment: dict[str, str]) -> None:
    made = run(environment, "create-admin", "Ruth@Example.org", input="correct horse\n")
    assert made.exit_code == 0, made.output
    assert "correct horse" not in made.output
    assert "ruth@example.org is an administrator." in made.output
    ruth = Person.query.one()
    assert ruth.is_admin
    assert passwords.current().fits(ruth.password_hash, "correct horse")
    again = run(environment, "create-admin", "ruth@example.org")
    assert again.exit_code == 0
    assert Person.query.count() == 1


def test_a_weak_password_or_a_broken_address_makes_nobody(environment: dict[str, str]) -> None:
    weak = run(environment, "create-admin", "ruth@example.org", input="short\n")
    assert weak.exit_code == 1
    assert "at least 10" in weak.output
    assert run(environment, "create-admin", "nobody", input="correct horse\n").exit_code == 1
    zone = run(environment, "create-admin", "a@example.org", "--zone=Mars", input="correct horse\n")
    assert zone.exit_code == 1
    assert "no time zone called" in zone.output
    assert Person.query.count() == 0


def test_a_reset_link_opens_the_page_for_a_new_password(
    environment: dict[str, str], app: Flask
) -> None:
    run(environment, "create-admin", "ruth@example.org", input="correct horse\n")
    answer = run(
        {**environment, "PUBLIC_URL": "https://sessions.example.org"},
        "reset-link",
        "ruth@example.org",
    )
    assert answer.exit_code == 0
    link = answer.stdout.splitlines()[0]
    assert link.startswith("https://sessions.example.org/reset/")
    path = link.removeprefix("https://sessions.example.org")
    assert app.test_client().get(path).status_code == 200
    assert actions.find_reset(path.rsplit("/", 1)[1], now=NOW)[1].email == "ruth@example.org"
    assert run(environment, "reset-link", "nobody@example.org").exit_code == 1


def test_a_sweep_says_what_it_did(environment: dict[str, str]) -> None:
    answer = run(environment, "sweep")
    assert answer.exit_code == 0
    assert answer.output == "0 moved, 0 to be scheduled, 0 lapsed, 0 missed\n"


def test_a_sweep_rules_by_the_operators_figures(sqlite: dict[str, str]) -> None:
    run({**sqlite, "SESSION_NO_SHOW_GRACE_MINUTES": "7"}, "sweep")
    from skileez.sessions import policy

    assert policy.in_force().no_show_grace.total_seconds() == 7 * 60
    run(sqlite, "sweep")
    assert policy.in_force().no_show_grace.total_seconds() == 30 * 60


def test_an_audit_finds_what_was_tampered_with(sqlite: dict[str, str]) -> None:
    enter(sqlite["DATABASE_URL"])
    clean = run(sqlite, "audit")
    assert (clean.exit_code, clean.output) == (0, "2 events, 0 broken\n")
    with db.transaction() as session:
        session.execute(text("DROP TRIGGER event_is_never_changed"))
        session.execute(text("UPDATE event SET reason = 'because' WHERE position = 1 AND id = 1"))
    broken = run(sqlite, "audit")
    assert broken.exit_code == 1
    assert "broken: event 1, proposal:1 1, proposal.accepted" in broken.output
    assert broken.output.endswith("2 events, 1 broken\n")


def test_a_refresh_of_the_zones_keeps_what_was_agreed_and_says_what_it_moved(
    sqlite: dict[str, str],
) -> None:
    cast = enter(sqlite["DATABASE_URL"])
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    session = cast.book(now + 60 * HOUR - NOW, now=now)
    assert session.wall_at
    agreed = f"{datetime.fromisoformat(session.wall_at) + HOUR:%Y-%m-%d %H:%M}"
    with db.transaction() as changed:  # as if it were agreed by other rules
        changed.execute(update(Session).values(wall_at=agreed.replace(" ", "T")))
    times = [f"{now + hours * HOUR:%Y-%m-%d %H:%M}" for hours in (60, 61)]
    moves = f"session {session.id}, {agreed} in Europe/Berlin: {times[0]} -> {times[1]} UTC\n"
    shown = run(sqlite, "timezones", "show")
    assert shown.output.startswith(f"{moves}tzdata 20")
    assert shown.output.endswith(
        "1 of the sessions to come would move; run: skileez timezones refresh\n"
    )
    counts = "1 moved, 0 not moved, 0 times away changed"
    rehearsed = run(sqlite, "timezones", "refresh", "--dry-run")
    assert rehearsed.output == f"{moves}{counts} (a rehearsal: nothing was changed)\n"
    assert run(sqlite, "timezones", "refresh").output == f"{moves}{counts}\n"
    again = run(sqlite, "timezones", "refresh")
    assert (again.exit_code, again.output) == (0, f"0{counts[1:]}\n")
    assert run(sqlite, "timezones", "show").output.endswith(
        "0 of the sessions to come would move\n"
    )


def test_the_shell_runs_the_lines_that_come_through_a_pipe(sqlite: dict[str, str]) -> None:
    enter(sqlite["DATABASE_URL"])
    lines = """
contract = Contract.query.get(1)
with db.transaction():
    session = Session(proposal_id=contract.proposal_id, session_number=1, scheduled_at=now())
    db.session.add(session)
session = Session.query.get(1)
print(f"Status: {session.status}")
print(f"Reschedule requested: {session.reschedule_requested}")
print(f"Can be completed: {session.can_be_completed()}")
"""
    answer = run(sqlite, "shell", input=lines)
    assert answer.exit_code == 0, answer.output
    assert answer.output == (
        "Status: scheduled\nReschedule requested: False\nCan be completed: True\n"
    )
    assert Contract.query.one().id == 1
    assert run(sqlite, "shell", input="print(nobody)").exit_code == 1


# The demo


def test_starting_the_demo_over_may_be_the_first_thing_that_is_done_in_a_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skileez.demo.seed.plant", lambda now: True)
    path = tmp_path / "instance" / "demo.db"
    of_its_own = dict.fromkeys(["DATABASE_URL", "PUBLIC_URL", "SKILEEZ_DEMO"], "")
    with unbound_after():
        answer = run({**of_its_own, "SKILEEZ_DEMO_DB": str(path)}, "demo", "--reset", "--no-serve")
    assert answer.exit_code == 0, answer.output
    assert path.with_suffix(".mail").is_dir()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str) -> tuple[int, str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.status, answer.read().decode()


def ask_for_a_reset(port: int, host: str) -> None:
    """As somebody would who hopes for a link to a host of their own."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/reset", timeout=10) as page:
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        token = page.read().decode().partition('name="csrf_token" value="')[2].partition('"')[0]
    form = urllib.parse.urlencode({"csrf_token": token, "email": "student@demo.example"})
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/reset",
        form.encode(),
        {"Host": host, "X-Forwarded-Host": host, "Cookie": cookie},
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.status == 200


def wait_for(port: int, served: "subprocess.Popen[str]", seconds: int = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            assert ask(port, "/readyz") == (200, "ready\n")  # and so does the worker
        except OSError:
            assert served.poll() is None
            time.sleep(0.1)
        else:
            return
    pytest.fail("the demo did not answer")


def test_the_demo_starts_over_is_served_stops_cleanly_and_keeps_its_data(
    sqlite_template: Path, tmp_path: Path
) -> None:
    port, path = free_port(), tmp_path / "demo.db"
    mail = mailbox.Maildir(path.with_suffix(".mail"))
    of_old = mail.add("Subject: Of people who are no more\n\n")
    path.write_bytes(sqlite_template.read_bytes())
    enter(f"sqlite:///{path}")
    environment = {
        **os.environ,
        "PORT": str(port),
        "RESET": "1",
        "SKILEEZ_DEMO_DB": str(path),
        "PASSWORD_MEMORY_KIB": "8",
        "PASSWORD_TIME_COST": "1",
        "WEB_CONCURRENCY": "1",
    }
    command = [sys.executable, "-c", "from skileez.cli import main; main()", "demo"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as served:
        try:
            wait_for(port, served)
            assert "Sign in" in ask(port, "/")[1]
            ask_for_a_reset(port, host="evil.example")
            taken = run({**environment}, "demo")
            assert taken.exit_code == 1
            assert f"Port {port} is taken" in taken.output
        finally:
            served.send_signal(signal.SIGTERM)
            said = served.communicate(timeout=30)[0]
    assert f"http://127.0.0.1:{port}/" in said
    for name in ("student", "coach", "stranger", "admin"):
        assert re.search(rf"{name}@demo\.example +skileez-demo-2026", said)
    assert f"http://127.0.0.1:{port}/reset/" in said
    assert "evil.example" not in said
    assert "Traceback" not in said
    assert "Fatal" not in said

    count = _events(path)
    assert count > 500
    assert Person.query.filter_by(email="stranger@example.org").count() == 0
    assert of_old not in mail
    again = run({**environment, "RESET": ""}, "demo", "--no-serve")
    assert again.exit_code == 0, again.output
    assert _events(path) == count


def _events(path: Path) -> int:
    db.bind(f"sqlite:///{path}")
    return int(events.Event.query.count())
