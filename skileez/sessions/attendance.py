"""The verb by which a participant shows that they are there, and what both showed and said."""

from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm.attributes import set_committed_value

from skileez import db
from skileez.errors import require
from skileez.events import SYSTEM, Actor
from skileez.sessions import presence_rules
from skileez.sessions.presence import CheckIn, OutcomeSaid
from skileez.sessions.presence_rules import NOTHING, Account, Seen
from skileez.sessions.rescheduling import Rescheduling
from skileez.sessions.rules import Policy, Status


class Attendance(Rescheduling):
    """Checking in; it does not commit, and raises ``Refused`` or is done."""

    __abstract__ = True

    def can_check_in(
        self, role: str, *, now: datetime | None = None, policy: Policy | None = None
    ) -> bool:
        """Whether this role may check in now."""
        refusal = presence_rules.may_check_in(
            self.facts, role, self._when(now), self._policy(policy)
        )
        return refusal is None

    def check_in(
        self,
        by: str,
        way: str,
        *,
        actor: Actor = SYSTEM,
        now: datetime | None = None,
        policy: Policy | None = None,
    ) -> None:
        """This side is there ("join": opened the meeting, "here": said so); twice is once."""
        now, policy = self._when(now), self._policy(policy)
        require(presence_rules.may_check_in(self.facts, by, now, policy))
        before = db.session.scalars(
            _CHECK_IN, {"session": self.id, "role": by, "way": way}
        ).one_or_none()
        if before is None:
            db.session.add(CheckIn(session_id=self.id, role=by, way=way, at=now))
        elif presence_rules.is_of_this_time(self.facts, before.at):
            return
        else:
            before.at = now
        self._hear()
        self.say(
            presence_rules.CHECKED_IN,
            actor=actor,
            role=by,
            now=now,
            old_time=self.scheduled_at,
            details={"way": way},
        )

    def account(self) -> Account:
        """What both showed and said of it, as far as it counts for the time it has now."""
        if self.status == Status.SCHEDULED and not self.heard:
            return NOTHING  # there is nothing to ask the database for
        given = {"session": self.id}
        facts = self.facts
        return Account(
            seen=tuple(
                Seen(row.role, row.way, row.at)
                for row in db.session.execute(_CHECK_INS, given)
                if presence_rules.is_of_this_time(facts, row.at)
            ),
            said={row.role: row.outcome for row in db.session.execute(_SAID, given)},
        )

    def _hear(self) -> None:
        # Past the version: that somebody came makes no page about the session stale.
        if not self.heard:
            table = cast(Table, type(self).__table__)
            db.session.execute(update(table).where(table.c.id == self.id).values(heard=True))
            set_committed_value(self, "heard", True)


_CHECK_IN = select(CheckIn).where(
    CheckIn.session_id == bindparam("session"),
    CheckIn.role == bindparam("role"),
    CheckIn.way == bindparam("way"),
)
_CHECK_INS = (
    select(CheckIn.role, CheckIn.way, CheckIn.at)
    .where(CheckIn.session_id == bindparam("session"))
    .order_by(CheckIn.at, CheckIn.id)
)
_SAID = select(OutcomeSaid.role, OutcomeSaid.outcome).where(
    OutcomeSaid.session_id == bindparam("session")
)
