"""The floor: what the product does, in bare Flask and plain SQL, and nothing else.

The same addresses and form fields, the same signed cookie, the same rows read and written in one
transaction, on a copy of the same database with its triggers and constraints. No ORM, no forms,
no CSRF token, no translation, no log, no headers, no layout: a few checks, SQL, and a small page.
"""

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, abort, g, jsonify, redirect, render_template, request, session

from bench.store import Store
from skileez import clock, zones

SIGNED_IN = """
    SELECT p.id, p.email, p.display_name, p.zone, p.is_admin
    FROM sign_in i JOIN person p ON p.id = i.person_id
    WHERE i.token_hash = ? AND i.expires_at > ? AND p.active
"""
SESSION = """
    SELECT s.*, c.title, c.number, c.total_sessions, c.completed_sessions, c.rate, c.currency,
           c.status AS contract_status, c.meeting_url AS contract_url,
           coach.display_name AS coach_name, coach.zone AS coach_zone,
           student.display_name AS student_name, student.zone AS student_zone
    FROM session s
    JOIN contract c ON c.id = s.contract_id
    JOIN person coach ON coach.id = s.coach_id
    JOIN person student ON student.id = s.student_id
    WHERE s.id = ? AND (s.coach_id = ? OR s.student_id = ?)
"""
PROPOSED = "SELECT starts_at FROM proposed_time WHERE session_id = ? ORDER BY position"
HISTORY = """
    SELECT e.verb, e.at, e.role, e.reason, e.old_time, e.new_time, e.details, p.display_name
    FROM event e LEFT JOIN person p ON p.id = e.actor_id
    WHERE e.session_id = ? ORDER BY e.id DESC
"""
_HALF = """
    SELECT * FROM (SELECT id FROM session WHERE {role}_id = ? {which}
                   ORDER BY listed_at {way}, id {way} LIMIT 21) AS {role}_half
"""
LIST = """
    SELECT s.id, s.session_number, s.scheduled_at, s.duration_minutes, s.status, s.coach_id,
           s.confirmed_by_coach, s.reschedule_requested_by, s.reschedule_deadline, s.version,
           c.title, c.total_sessions, c.status AS contract_status,
           coach.display_name AS coach_name, student.display_name AS student_name
    FROM session s
    JOIN contract c ON c.id = s.contract_id
    JOIN person coach ON coach.id = s.coach_id
    JOIN person student ON student.id = s.student_id
    WHERE s.id IN ({coach} UNION ALL {student})
    ORDER BY s.listed_at {way}, s.id {way} LIMIT 21
"""
ALL = LIST.format(
    coach=_HALF.format(role="coach", which="", way="DESC"),
    student=_HALF.format(role="student", which="", way="DESC"),
    way="DESC",
)
_TO_COME = "AND status = 'scheduled' AND (ends_at > ? OR scheduled_at IS NULL)"
UPCOMING = LIST.format(
    coach=_HALF.format(role="coach", which=_TO_COME, way="ASC"),
    student=_HALF.format(role="student", which=_TO_COME, way="ASC"),
    way="ASC",
)
CONTRACTS = """
    SELECT c.id, c.title, coach.display_name AS coach_name, student.display_name AS student_name
    FROM contract c
    JOIN person coach ON coach.id = c.coach_id JOIN person student ON student.id = c.student_id
    WHERE c.coach_id = ? OR c.student_id = ? ORDER BY c.id DESC LIMIT 200
"""
MINE = """
    SELECT s.*, c.status AS contract_status, c.completed_sessions, c.total_sessions
    FROM session s JOIN contract c ON c.id = s.contract_id
    WHERE s.id = ? AND (s.coach_id = ? OR s.student_id = ?)
"""
LAST = "SELECT position, hash FROM event WHERE stream = ? ORDER BY position DESC LIMIT 1"
EVENT = """
    INSERT INTO event (stream, position, verb, at, actor_kind, actor_id, role, proposal_id,
        contract_id, session_id, status_from, status_to, old_time, new_time, reason, details,
        previous_hash, hash)
    VALUES (?, ?, ?, ?, 'person', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
PROPOSE = "INSERT INTO proposed_time (session_id, position, starts_at) VALUES (?, ?, ?)"
FORGET = "DELETE FROM proposed_time WHERE session_id = ?"
NO_REQUEST = """reschedule_requested = false, reschedule_requested_by = NULL,
    reschedule_reason = NULL, reschedule_kind = NULL, reschedule_asked_at = NULL,
    reschedule_deadline = NULL"""

app = Flask(__name__)
app.config.update(SECRET_KEY=os.environ["SECRET_KEY"], SESSION_COOKIE_NAME="__Host-skileez")
store = Store(os.environ["DATABASE_URL"])


@app.before_request
def enter() -> None:
    """Who is signed in, by the token in the signed cookie."""
    g.asked = store.asked
    g.now = clock.now()
    token = hashlib.sha256(session.get("_user_id", "").encode()).hexdigest()
    g.me = store.row(SIGNED_IN, token, store.stamp(g.now)) or abort(401)


@app.after_request
def count(response: Any) -> Any:
    """Tell how many statements it took, as the product under test does too."""
    response.headers["X-Queries"] = str(store.asked - g.asked)
    return response


@app.template_filter()
def when(kept: Any) -> str:
    """An instant in the reader's zone."""
    return f"{zones.local(store.instant(kept), g.me['zone']):%a %d %b %Y, %H:%M}"


# Pages


@app.get("/sessions/<int:ident>")
def show(ident: int) -> str:
    """One session: its row with contract and people, the times proposed, and its events."""
    one = store.row(SESSION, ident, g.me["id"], g.me["id"]) or abort(404)
    proposed = store.rows(PROPOSED, ident) if one["reschedule_requested"] else ()
    events = store.rows(HISTORY, ident)
    return render_template("session.html", one=one, proposed=proposed, events=events, me=g.me)


@app.get("/sessions")
def index() -> str:
    """Twenty of the reader's sessions."""
    mine = g.me["id"]
    if request.args.get("view") == "all":
        rows = store.rows(ALL, mine, mine)
    else:
        now = store.stamp(g.now)
        rows = store.rows(UPCOMING, mine, now, mine, now)
    contracts = store.rows(CONTRACTS, mine, mine)
    return render_template("sessions.html", rows=rows[:20], contracts=contracts, me=g.me)


TAKEN = """
    SELECT b.person_id, b.starts_at, b.ends_at
    FROM contract c JOIN booked_time b ON b.person_id IN (c.coach_id, c.student_id)
    WHERE c.id = ? AND (c.coach_id = ? OR c.student_id = ?)
      AND b.starts_at < ? AND b.starts_at > ? ORDER BY b.starts_at
"""


def taken_between(contract: int, first: datetime, last: datetime) -> Any:
    """When the two of a contract are taken between two instants."""
    rows = store.rows(
        TAKEN, contract, g.me["id"], g.me["id"],
        store.stamp(last), store.stamp(first - timedelta(hours=8)),
    )  # fmt: skip
    return jsonify([[one["person_id"], str(one["starts_at"]), str(one["ends_at"])] for one in rows])


@app.get("/calendar/feed")
def week() -> Any:
    """The bare range query behind a week's free times."""
    first, last = (datetime.fromisoformat(request.args[name]) for name in ("start", "end"))
    return taken_between(int(request.args["contract"]), first, last)


@app.get("/contracts/<int:ident>/slots")
def month(ident: int) -> Any:
    """The bare range query behind a month's free times."""
    first = datetime.fromisoformat(f"{request.args['month']}-01").replace(tzinfo=UTC)
    return taken_between(ident, first, (first + timedelta(days=31)).replace(day=1))


# Verbs


def find(ident: int) -> tuple[Any, str]:
    """The reader's session, locked and as they saw it, and their role in it."""
    one = store.row(MINE + store.lock, ident, g.me["id"], g.me["id"]) or abort(404)
    if one["version"] != int(request.form.get("version", one["version"])):
        abort(409)
    return one, "coach" if one["coach_id"] == g.me["id"] else "student"


def say(one: Any, verb: str, role: str, **told: Any) -> None:
    """Append the event to the contract's chain."""
    stream = f"contract:{one['contract_id']}"
    last = store.row(LAST, stream)
    position, before = (last["position"] + 1, last["hash"]) if last else (1, "")
    details = json.dumps(told.get("details", {}))
    row = [stream, position, verb, store.stamp(g.now), g.me["id"], role]
    row += [one["proposal_id"], one["contract_id"], one["id"]]
    row += [told.get("was"), told.get("becomes"), told.get("old"), told.get("new")]
    row += [told.get("reason"), details, before]
    digest = hashlib.sha256(json.dumps(row, default=str).encode()).hexdigest()
    store.run(EVENT, *row, digest)


def reason(name: str = "reason") -> str:
    """The reason given, in bounds."""
    said = request.form.get(name, "").strip()
    return said if 10 <= len(said) <= 500 else abort(422)


def typed(text: str, zone: str) -> datetime:
    """A wall-clock time in a zone, as an instant at least an hour ahead."""
    instant = datetime.fromisoformat(text).replace(tzinfo=zones.zone(zone)).astimezone(UTC)
    return instant if instant >= g.now + timedelta(hours=1) else abort(422)


def times() -> list[datetime]:
    """The proposed times."""
    form = request.form
    return [
        typed(form[f"proposed_times-{n}"], form["timezone"])
        for n in range(3)
        if form.get(f"proposed_times-{n}")
    ]


def free(one: Any, at: datetime, role: str, hours: Any) -> None:
    """Neither of the two has another session then; a student keeps to the coach's hours."""
    minutes = one["duration_minutes"]
    if role == "student":
        in_hours(hours, at, minutes)
    between = timedelta(minutes=hours["buffer_before"] + hours["buffer_after"])
    first, end = at - between, at + timedelta(minutes=minutes) + between
    taken = store.row(
        """SELECT person_id FROM booked_time WHERE person_id IN (?, ?)
           AND starts_at < ? AND starts_at > ? AND ends_at > ? AND session_id <> ? LIMIT 1""",
        one["coach_id"],
        one["student_id"],
        store.stamp(end),
        store.stamp(first - timedelta(hours=8)),
        store.stamp(first),
        one["id"],
    )
    if taken:
        abort(409)


def hours_of(coach: int) -> Any:
    """The coach's hours; every coach of the stage has some."""
    return store.row("SELECT * FROM availability WHERE coach_id = ?", coach)


def in_hours(hours: Any, at: datetime, minutes: int) -> None:
    """The clocks of the coach's zone show a time of that weekday's hours."""
    wall = at.astimezone(zones.zone(hours["zone"]))
    start = wall.hour * 60 + wall.minute
    weekly = hours["weekly"] if isinstance(hours["weekly"], dict) else json.loads(hours["weekly"])
    spans = weekly[f"{wall:%a}"[:2].upper()]
    lead = at - g.now
    if not (
        any(opens <= start and start + minutes <= closes for opens, closes in spans)
        and timedelta(minutes=hours["notice"]) <= lead <= timedelta(days=hours["horizon"])
    ):
        abort(409)


def back(ident: int) -> Any:
    """To the session's page."""
    return redirect(f"/sessions/{ident}", 303)


@app.post("/contracts/<int:ident>/schedule")
def book(ident: int) -> Any:
    """Book the contract's next session; the database refuses an overlap."""
    start = typed(request.form["scheduled_at"], request.form["timezone"])
    minutes = int(request.form["duration_minutes"])
    if not 15 <= minutes <= 480:
        abort(422)
    with store.transaction():
        contract = store.row(
            "SELECT * FROM contract c WHERE id = ? AND (coach_id = ? OR student_id = ?)"
            + ("" if store.sqlite else " FOR UPDATE"),
            ident,
            g.me["id"],
            g.me["id"],
        )
        if contract is None or contract["status"] != "active":
            abort(409)
        taken = {
            row["session_number"]
            for row in store.rows(
                "SELECT session_number FROM session"
                " WHERE contract_id = ? AND status IN ('scheduled', 'completed')",
                ident,
            )
        }
        number = next(n for n in range(1, contract["total_sessions"] + 2) if n not in taken)
        if number > contract["total_sessions"]:
            abort(409)
        role = "coach" if contract["coach_id"] == g.me["id"] else "student"
        if role == "student":
            in_hours(hours_of(contract["coach_id"]), start, minutes)
        at, now = store.stamp(start), store.stamp(g.now)
        booked = store.row(
            """INSERT INTO session (proposal_id, contract_id, coach_id, student_id,
                session_number, scheduled_date, scheduled_at, ends_at, listed_at,
                duration_minutes, timezone, status, confirmed_by_coach, reschedule_requested,
                cancelled_late, created_at, version)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'scheduled', ?, false, false, ?, 1)
            RETURNING id""",
            contract["proposal_id"],
            ident,
            contract["coach_id"],
            contract["student_id"],
            number,
            at,
            at,
            store.stamp(start + timedelta(minutes=minutes)),
            at,
            minutes,
            contract["timezone"],
            role == "coach",
            now,
        )["id"]
        one = {"id": booked, "contract_id": ident, "proposal_id": contract["proposal_id"]}
        details = {"session_number": number, "duration_minutes": minutes}
        say(one, "session.booked", role, becomes="scheduled", new=at, details=details)
    return back(booked)


@app.post("/sessions/<int:ident>/confirm")
def confirm(ident: int) -> Any:
    with store.transaction():
        one, role = find(ident)
        if role != "coach" or one["status"] != "scheduled":
            abort(403)
        store.run(
            "UPDATE session SET confirmed_by_coach = true, version = version + 1 WHERE id = ?",
            ident,
        )
        say(one, "session.confirmed", role)
    return back(ident)


@app.post("/sessions/<int:ident>/reschedule")
def ask(ident: int) -> Any:
    wanted, why = times(), reason()
    with store.transaction():
        one, role = find(ident)
        if one["status"] != "scheduled" or one["reschedule_requested"]:
            abort(409)
        hours = hours_of(one["coach_id"])
        for time in wanted:
            free(one, time, role, hours)
        request_it(one, role, why, wanted)
        details = {"proposed_times": [time.isoformat() for time in wanted]}
        told = {"reason": why, "old": one["scheduled_at"], "details": details}
        say(one, "session.reschedule_requested", role, **told)
    return back(ident)


def request_it(one: Any, role: str, why: str, wanted: list[datetime]) -> None:
    """The pending request's columns and rows."""
    deadline = min(g.now + timedelta(hours=24), store.instant(one["scheduled_at"]))
    store.run(
        """UPDATE session SET reschedule_requested = true, reschedule_requested_by = ?,
            reschedule_reason = ?, reschedule_kind = 'standard', reschedule_asked_at = ?,
            reschedule_deadline = ?, version = version + 1 WHERE id = ?""",
        role,
        why,
        store.stamp(g.now),
        store.stamp(deadline),
        one["id"],
    )
    for position, time in enumerate(wanted, 1):
        store.run(PROPOSE, one["id"], position, store.stamp(time))


def pending(one: Any, role: str, *, own: bool = False) -> None:
    """There is a request, and it is this person's to answer (or their own)."""
    if one["status"] != "scheduled" or not one["reschedule_requested"]:
        abort(409)
    if (one["reschedule_requested_by"] == role) is not own:
        abort(403)


@app.post("/sessions/<int:ident>/approve-reschedule")
def approve(ident: int) -> Any:
    start = typed(request.form["new_scheduled_at"], request.form["timezone"])
    with store.transaction():
        one, role = find(ident)
        pending(one, role)
        free(one, start, role, hours_of(one["coach_id"]))
        at = store.stamp(start)
        store.run(FORGET, ident)
        store.run(
            f"""UPDATE session SET {NO_REQUEST}, scheduled_at = ?, listed_at = ?, ends_at = ?,
                version = version + 1 WHERE id = ?""",
            at,
            at,
            store.stamp(start + timedelta(minutes=one["duration_minutes"])),
            ident,
        )
        say(one, "session.reschedule_approved", role, old=one["scheduled_at"], new=at)
    return back(ident)


@app.post("/sessions/<int:ident>/counter-reschedule")
def counter(ident: int) -> Any:
    wanted = times() or abort(422)
    with store.transaction():
        one, role = find(ident)
        pending(one, role)
        hours = hours_of(one["coach_id"])
        for time in wanted:
            free(one, time, role, hours)
        store.run(FORGET, ident)
        request_it(one, role, one["reschedule_reason"], wanted)
        details = {"proposed_times": [time.isoformat() for time in wanted]}
        say(one, "session.reschedule_countered", role, old=one["scheduled_at"], details=details)
    return back(ident)


def close(ident: int, verb: str, *, own: bool, why: str | None = None) -> Any:
    """The request ends and the time stands."""
    with store.transaction():
        one, role = find(ident)
        pending(one, role, own=own)
        store.run(FORGET, ident)
        store.run(f"UPDATE session SET {NO_REQUEST}, version = version + 1 WHERE id = ?", ident)
        say(one, verb, role, reason=why, old=one["scheduled_at"], new=one["scheduled_at"])
    return back(ident)


@app.post("/sessions/<int:ident>/decline-reschedule")
def decline(ident: int) -> Any:
    why = reason("decline_reason")
    return close(ident, "session.reschedule_declined", own=False, why=why)


@app.post("/sessions/<int:ident>/withdraw-reschedule")
def withdraw(ident: int) -> Any:
    return close(ident, "session.reschedule_withdrawn", own=True)


def end(ident: int, becomes: str, columns: str, *values: Any, **told: Any) -> Any:
    """The session's last status."""
    with store.transaction():
        one, role = find(ident)
        if one["status"] != "scheduled":
            abort(409)
        if becomes != "cancelled" and store.instant(one["scheduled_at"]) > g.now:
            abort(409)
        sql = f"UPDATE session SET status = '{becomes}', {columns}, version = version + 1"
        store.run(
            f"{sql} WHERE id = ?", *(role if value is ... else value for value in values), ident
        )
        told |= {"was": "scheduled", "becomes": becomes, "old": one["scheduled_at"]}
        say(one, f"session.{becomes}", role, **told)
        if becomes == "completed":
            store.run(
                "UPDATE contract SET completed_sessions = completed_sessions + 1 WHERE id = ?",
                one["contract_id"],
            )
    return back(ident)


@app.post("/sessions/<int:ident>/complete")
def complete(ident: int) -> Any:
    notes, minutes = request.form["notes"].strip(), int(request.form["actual_minutes"])
    if len(notes) > 1000 or not 1 <= minutes <= 1440:
        abort(422)
    columns = "completed_date = ?, student_notes = ?, actual_minutes = ?"
    return end(ident, "completed", columns, store.stamp(g.now), notes, minutes)


@app.post("/sessions/<int:ident>/cancel")
def cancel(ident: int) -> Any:
    why = reason()
    columns = "cancelled_at = ?, cancelled_by = ?, cancel_reason = ?"
    return end(ident, "cancelled", columns, store.stamp(g.now), ..., why, reason=why)


@app.post("/sessions/<int:ident>/missed")
def missed(ident: int) -> Any:
    why, absent = reason(), request.form["absent"]
    if absent not in ("student", "coach", "both"):
        abort(422)
    columns = "missed_at = ?, missed_by = ?, missed_reason = ?, absent = ?"
    told = {"reason": why, "details": {"absent": absent}}
    return end(ident, "missed", columns, store.stamp(g.now), ..., why, absent, **told)
