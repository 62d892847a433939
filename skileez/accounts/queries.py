"""The lists about people."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select

from skileez import db
from skileez.accounts.models import Person, SignIn


def sign_ins(person_id: int, *, now: datetime) -> Sequence[SignIn]:
    """Where the person is signed in, the latest first."""
    return db.session.scalars(
        select(SignIn)
        .where(SignIn.person_id == person_id, SignIn.expires_at > now)
        .order_by(SignIn.created_at.desc(), SignIn.id.desc())
    ).all()


def people(*, search: str = "", after: str = "", limit: int = 50) -> list[Person]:
    """People by e-mail address, those behind the address ``after``; one more than ``limit``
    comes back when there is another page.

    ``search`` is any part of a name or an address; its letters stand for themselves.
    """
    wanted = select(Person).order_by(Person.email).limit(limit + 1)
    if after:
        wanted = wanted.where(Person.email > after)
    if search:
        part = search.lower()
        wanted = wanted.where(
            or_(
                Person.email.contains(part, autoescape=True),
                func.lower(Person.display_name).contains(part, autoescape=True),
            )
        )
    return list(db.session.scalars(wanted))
