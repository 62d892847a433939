"""The command line: a door like the web, so it holds no rules.

Imports are inside the commands, so that ``skileez --help`` answers at once.
"""
# ruff: noqa: PLC0415

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from skileez import __version__, clock
from skileez.config import ConfigError, Settings
from skileez.errors import NotFound, Refused

if TYPE_CHECKING:
    from skileez.events import Event
    from skileez.sessions.clock_rules import Stray

DEMO_DATABASE: Final = "instance/demo.db"
PORT: Final = click.IntRange(1, 65535)
MANY: Final = click.IntRange(1, 1000)
RESET_PATH: Final = "/reset/"
"""Where the web takes a reset token (a test holds the two together)."""


class _Commands(click.Group):
    """Says in one sentence what a rule or a setting refused."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise click.ClickException(str(error)) from None
        except Refused as refused:
            raise click.ClickException(str(refused)) from None
        except NotFound:
            raise click.ClickException("There is no such thing.") from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="skileez")
def main() -> None:
    """Skileez Sessions. Settings come from the environment (see the README)."""


@main.command()
@click.option("--url", help="The database, if not that of DATABASE_URL.")
def migrate(url: str | None) -> None:
    """Bring the database to the newest schema; safe to run again."""
    from skileez import db

    # A schema needs no secret: the demo's settings do not ask for one.
    given = {"database_url": url} if url else {}
    db.migrate(Settings.from_environ(os.environ, skileez_demo=True, **given).database_url)
    click.echo("The database has the newest schema.")


@main.command()
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True, help="[HOST]")
@click.option("--port", envvar="PORT", type=PORT, default=8000, show_default=True, help="[PORT]")
@click.option("--workers", envvar="WEB_CONCURRENCY", type=MANY, default=2, show_default=True)
@click.option("--threads", envvar="WEB_THREADS", type=MANY, default=8, show_default=True)
@click.option("--worker/--no-worker", envvar="WORKER", default=True, help="[WORKER]")
def serve(host: str, port: int, workers: int, threads: int, *, worker: bool) -> None:
    """Serve the web application (behind a proxy that speaks TLS), and a worker beside it.

    On more machines than one: --no-worker here, and ``skileez worker`` as often as you like.
    """
    from skileez import logs

    settings = _settings()
    # The processes that serve set up their own; whoever keeps the worker running tells of it too.
    logs.configure(settings.log_level, readable=sys.stderr.isatty())
    if workers > 1 and settings.ratelimit_storage_uri.startswith("memory://"):
        click.echo("Each worker counts tries by itself; set RATELIMIT_STORAGE_URI to share.")
    _require_address(host, port)
    with _worker_beside() if worker else nullcontext():
        _serve(host, port, workers=workers, threads=threads, level=settings.log_level.lower())


@main.command()
@click.option("--port", envvar="PORT", type=PORT, default=8000, show_default=True, help="[PORT]")
@click.option("--reset", envvar="RESET", is_flag=True, help="Start over, with new data.  [RESET]")
@click.option("--no-serve", is_flag=True, help="Only make the data.")
def demo(port: int, reset: bool, no_serve: bool) -> None:
    """Serve a demo with its own people and sessions, kept in instance/demo.db."""
    from skileez import db, events
    from skileez.demo import cast, seed
    from skileez.notifications.mail import demo_mailbox

    path = Path(os.environ.get("SKILEEZ_DEMO_DB") or DEMO_DATABASE).absolute()
    os.environ.update(SKILEEZ_DEMO="true", DATABASE_URL=f"sqlite:///{path}")
    if not os.environ.get("PUBLIC_URL"):
        # Else a printed reset link would name whatever host its request claimed.
        os.environ["PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    if not no_serve:
        _require_free(port)
    if reset:
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
    settings = _settings()
    db.migrate(settings.database_url)
    if reset:
        demo_mailbox(settings).clear()
    _open(settings)
    if settings.demo_speed > 1:
        # It hurried ahead of us before: what it wrote then must not lie in the future.
        os.environ["DEMO_CLOCK"] = clock.starting(events.latest())
        clock.hurry(settings.demo_speed, os.environ["DEMO_CLOCK"])
    seed.plant(clock.now())
    click.echo(f"\n  Skileez Sessions, the demo: http://127.0.0.1:{port}/\n")
    for person in cast.DOORS:
        click.echo(f"  {person.email:<24} {cast.PASSWORD}   {person.part}")
    click.echo(f"\n  Its data is kept in {path}; RESET=1 starts over. Stop with Ctrl+C.\n")
    db.session.remove()
    if not no_serve:
        with _worker_beside():
            _serve("127.0.0.1", port, workers=1, threads=12, level="error")


@main.command()
@click.option("--beside", is_flag=True, hidden=True, help="Stop when standard input ends.")
def worker(*, beside: bool) -> None:
    """Do what happens by itself, until stopped: deadlines, no-shows, reminders, messages."""
    settings = _settings()
    _open(settings)
    from skileez import worker

    worker.run(settings, beside=beside)


@main.command()
def sweep() -> None:
    """Do what time alone decides: unanswered requests, then no-shows."""
    _open(_settings())
    from skileez.sessions import actions

    swept = actions.sweep(clock.now())
    click.echo(
        f"{swept.approved} moved, {swept.to_be_scheduled} to be scheduled, "
        f"{swept.lapsed} lapsed, {swept.missed} missed"
    )


@main.group()
def timezones() -> None:
    """The zones' rules: which are in use, and what a change of them does to sessions."""


@timezones.command()
def show() -> None:
    """Name the data in use, and the sessions to come that are not where it has them."""
    _open(_settings())
    from skileez import zones
    from skileez.sessions import refresh

    strays = list(refresh.strays(clock.now()))
    for one in strays:
        click.echo(_moves(one))
    click.echo(f"{zones.version()}, {len(zones.ZONES)} zones to choose from")
    advice = "; run: skileez timezones refresh" if strays else ""
    click.echo(f"{len(strays)} of the sessions to come would move{advice}")


@timezones.command("refresh")
@click.option("--dry-run", is_flag=True, help="Only tell what it would do.")
def refresh_timezones(*, dry_run: bool) -> None:
    """After new zone data: keep every session's time on the wall, and tell both of it.

    Exit 1 if a session could not be moved. Safe to run again.
    """
    _open(_settings())
    from skileez.sessions import refresh

    done = (refresh.rehearse if dry_run else refresh.run)(clock.now())
    for one in done.moved:
        click.echo(_moves(one))
    for left in done.left:
        why = {
            refresh.Why.TAKEN: f"session {left.other_id} is in its way",
            refresh.Why.PAST: "by the new rules it has begun already",
            refresh.Why.FAILED: "it could not be changed; try again",
        }[left.why]
        click.echo(f"not moved: {_moves(left.stray)}; {why}")
    click.echo(
        f"{len(done.moved)} moved, {len(done.left)} not moved, {done.away} times away changed"
        + (" (a rehearsal: nothing was changed)" if dry_run else "")
    )
    if done.left:
        sys.exit(1)


@main.command()
def audit() -> None:
    """Check the chain of events; exit 1 and name the broken ones if it was tampered with."""
    _open(_settings())
    from skileez import db, events

    count = db.session.query(events.Event.id).count()
    broken = list(events.broken_links())
    for event in broken:
        click.echo(_line(event))
    click.echo(f"{count} events, {len(broken)} broken")
    if broken:
        sys.exit(1)


@main.command()
@click.argument("email")
@click.option("--name", default="Administrator", show_default=True)
@click.option("--zone", default="UTC", show_default=True, help="IANA name, such as Europe/Berlin.")
def create_admin(email: str, name: str, zone: str) -> None:
    """Make EMAIL an administrator; a new account's password is asked for."""
    _open(_settings())
    from skileez import db
    from skileez.accounts import actions

    hashed = None
    if actions.find_by_email(email) is None:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=sys.stdin.isatty())
        hashed = actions.hash_new_password(password, email)
    with db.transaction():
        now = clock.now()
        if hashed is not None:
            actions.sign_up(email=email, display_name=name, hashed=hashed, zone=zone, now=now)
        person = actions.appoint_administrator(email, now=now)
    click.echo(f"{person.email} is an administrator.")


@main.command()
@click.argument("email")
def reset_link(email: str) -> None:
    """Make a single-use link with which EMAIL chooses a new password."""
    settings = _settings()
    _open(settings)
    from skileez import db
    from skileez.accounts import actions, rules
    from skileez.events import SYSTEM

    with db.transaction():
        made = actions.request_reset(email, now=clock.now(), actor=SYSTEM)
    if made is None:
        raise click.ClickException(f"There is no open account with the address {email}.")
    click.echo(f"{settings.public_url.rstrip('/')}{RESET_PATH}{made[1]}")
    minutes = int(rules.RESET_LASTS.total_seconds()) // 60
    click.echo(f"It works once, within {minutes} minutes.", err=True)


@main.command()
def shell() -> None:
    """Python with the models at hand; lines may come through a pipe."""
    import code

    _open(_settings())
    from skileez import db
    from skileez.accounts.models import Person
    from skileez.contracts.models import Contract, Proposal
    from skileez.events import Event
    from skileez.sessions.models import Session

    names = {
        "Session": Session,
        "Contract": Contract,
        "Proposal": Proposal,
        "Person": Person,
        "Event": Event,
        "db": db,
        "clock": clock,
        "now": clock.now,
    }
    if sys.stdin.isatty():
        banner = f"Skileez Sessions {__version__}: {', '.join(names)}. Write in db.transaction()."
        code.interact(banner, local=names, exitmsg="")
    else:
        exec(compile(sys.stdin.read(), "<stdin>", "exec"), names)  # noqa: S102 - it is a shell


@main.command()
def config() -> None:
    """Print the settings in force, without secrets."""
    from dataclasses import fields

    settings = _settings()
    for one in fields(settings):
        value = getattr(settings, one.name)
        if one.name == "database_url":
            from sqlalchemy import make_url

            value = make_url(value).render_as_string(hide_password=True)
        elif not one.repr and value != one.default:
            value = "(set)"
        click.echo(f"{one.name.upper()}={value}")


def _settings() -> Settings:
    return Settings.from_environ(os.environ)


def _open(settings: Settings) -> None:
    """What the application's start does, but for the web; and the database has to be there."""
    # Every table has to be known before a row is written, also where a command needs only people.
    import skileez.sessions.models  # noqa: F401
    from skileez import db, startup

    engine = startup.configure(settings, readable=sys.stderr.isatty())
    context = click.get_current_context()
    context.call_on_close(engine.dispose)
    context.call_on_close(db.session.remove)
    db.require_schema()


@contextmanager
def _worker_beside() -> Iterator[None]:
    """A worker process of our own, started anew should it die, until the end."""
    from skileez.beside import keep_running

    with keep_running([sys.executable, "-m", "skileez", "worker", "--beside"]):
        yield


def _require_free(port: int) -> None:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise click.ClickException(
                f"Port {port} is taken. Choose another one: make demo PORT={port + 1}"
            ) from None


def _require_address(host: str, port: int) -> None:
    """What the server would say of it, without its traceback; another server may share it."""
    try:
        family = socket.AF_INET if ip_address(host).version == 4 else socket.AF_INET6
        with closing(socket.socket(family)) as probe:
            for shared in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                probe.setsockopt(socket.SOL_SOCKET, shared, 1)
            probe.bind((host, port))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise click.ClickException(f"Cannot serve at {host}, port {port}: {why}") from None


def _serve(host: str, port: int, *, workers: int, threads: int, level: str) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "skileez.app:serve",
        factory=True,
        interface=Interfaces.WSGI,
        address=host,
        port=port,
        workers=workers,
        blocking_threads=threads,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
        log_level=LogLevels(level),
    ).serve()


def _moves(one: "Stray") -> str:
    wall = one.agreed.wall.replace("T", " ")
    instants = f"{one.old:%Y-%m-%d %H:%M} -> {one.new:%Y-%m-%d %H:%M} UTC"
    return f"session {one.session_id}, {wall} in {one.agreed.zone}: {instants}"


def _line(event: "Event") -> str:
    return f"broken: event {event.id}, {event.stream} {event.position}, {event.verb}, {event.at}"
