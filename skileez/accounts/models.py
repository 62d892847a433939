"""A person, where they are signed in, and the links that let them set a new password."""

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from skileez import db
from skileez.accounts.rules import AGENT_MAX, EMAIL_MAX, EMAIL_TAKEN, NAME_MAX
from skileez.db import Model, UTCDateTime

_HASHED_TOKEN = String(64)

FOR_READERS: Final = "reader"
"""Deferred columns of this group, which a feature above may add to ``Person``, are loaded along
with whoever is signed in: what the head of every page shows costs no query of its own."""

# Two people signing up with one address at once: the database tells them apart.
db.guard("uq_person_email", EMAIL_TAKEN)
db.guard("person.email", EMAIL_TAKEN)


class Person(Model):
    """Somebody with an account. Whether they coach or study is said by each contract."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint("email = lower(email)", name="email_lower_case"),
        CheckConstraint(f"length(email) BETWEEN 3 AND {EMAIL_MAX}", name="email_length"),
        CheckConstraint(f"length(display_name) BETWEEN 1 AND {NAME_MAX}", name="name_length"),
        CheckConstraint("length(zone) BETWEEN 1 AND 64", name="zone_length"),
        CheckConstraint("length(password_hash) > 0", name="password_hash_present"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))
    display_name: Mapped[str] = mapped_column(String(NAME_MAX))
    password_hash: Mapped[str] = mapped_column(String(200))
    zone: Mapped[str] = mapped_column(String(64))
    offers_coaching: Mapped[bool] = mapped_column(default=False)
    is_admin: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @property
    def is_authenticated(self) -> bool:
        """Always: only somebody who signed in is loaded as a page's reader (Flask-Login asks)."""
        return True

    @property
    def is_active(self) -> bool:
        """Whether the account may be used (the name that Flask-Login asks by)."""
        return self.active

    @property
    def is_anonymous(self) -> bool:
        """Never (Flask-Login asks)."""
        return False

    def __repr__(self) -> str:
        return f"<Person {self.id} {self.email}>"


class SignIn(Model):
    """One browser where a person is signed in. Deleting the row signs it out at once.

    ``token_hash`` is the SHA-256 of the token in the cookie: a stolen table opens no account.
    """

    __tablename__ = "sign_in"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint("expires_at > created_at", name="expires_later"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(_HASHED_TOKEN)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    agent: Mapped[str] = mapped_column(String(AGENT_MAX), default="")

    person: Mapped[Person] = relationship(lazy="raise")


class PasswordReset(Model):
    """A single-use link to set a new password; ``used_at`` is when it was."""

    __tablename__ = "password_reset"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint("expires_at > asked_at", name="expires_later"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(_HASHED_TOKEN)
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
