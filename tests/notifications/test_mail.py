"""A message as it travels: what a mail program and a mail server go by."""

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from skileez.accounts.models import Person
from skileez.accounts.rules import may_use_name
from skileez.config import Settings
from skileez.notifications import letters, rules, samples
from skileez.notifications.letters import Letter
from skileez.notifications.mail import compose
from tests.cast import NOW, POLICY

SETTINGS = Settings(
    secret_key="k" * 40,
    smtp_url="smtp://127.0.0.1",
    mail_from="Sessions <sessions@sessions.example>",
    public_url="https://sessions.example",
)


@pytest.fixture(autouse=True)
def _address() -> None:
    letters.configure(SETTINGS.public_url)


def sample(kind: str, variant: str = "coach") -> Letter:
    return samples.letter(kind, variant, NOW, POLICY)


def arrives(letter: Letter, name: str = "Amara Okafor") -> EmailMessage:
    """What is left of it on the other side."""
    person = Person(email="amara@example.org", display_name=name)
    told = message_from_bytes(compose(letter, person, SETTINGS).as_bytes(SMTP), policy=SMTP)
    assert isinstance(told, EmailMessage)
    return told


def test_a_message_has_one_id_however_often_it_is_sent() -> None:
    letter = sample("session.cancelled")
    ids = {arrives(one)["Message-ID"] for one in (letter, letter, replace(letter, at=NOW))}
    assert ids == {f"<{letter.id}@sessions.example>"}


def test_the_messages_about_one_session_stand_in_one_thread() -> None:
    letter = replace(sample("session.cancelled"), thread="session-7")
    other = replace(sample("session.booked"), id="delivery-99", thread="session-7")
    first, second = arrives(letter), arrives(other)
    assert first["Message-ID"] != second["Message-ID"]
    for one in (first, second):
        assert one["In-Reply-To"] == one["References"] == "<session-7@sessions.example>"


@pytest.mark.parametrize("kind", rules.KINDS)
def test_digests_and_nothing_else_can_be_ended_by_the_mail_program(kind: str) -> None:
    told = arrives(sample(kind, samples.variants(kind)[0]))
    ends = told["List-Unsubscribe"]
    assert (ends is not None) == (kind in rules.DIGESTS)
    if ends:
        assert ends.startswith("<https://sessions.example/")
        assert told["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_it_is_there_as_text_and_as_html() -> None:
    letter = sample("session.cancelled")
    told = arrives(letter)
    assert told.get_content_type() == "multipart/alternative"
    for kind, said in (("plain", letter.text), ("html", letter.html)):
        part = told.get_body((kind,))
        assert part is not None
        assert part.get_content().splitlines() == said.splitlines()


@pytest.mark.parametrize(
    "name", ["Ann\x0bLee", "Ann\x1cLee", "Ann\x85Lee", 'Ann "Lee" <x@y.z>, Bo', "Zoë, Ünal"]
)
def test_whatever_a_name_may_be_the_message_goes_to_its_one_address(name: str) -> None:
    assert may_use_name(name) is None
    (to,) = arrives(sample("session.cancelled"), name)["To"].addresses
    assert to.addr_spec == "amara@example.org"
    assert to.display_name == " ".join(name.split())
