"""How instants, money and words read on a page."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from skileez.contracts.rules import ContractStatus, ProposalStatus
from skileez.errors import Refusal
from skileez.sessions.rules import Role, Status
from skileez.web import display, language

NOON = datetime(2027, 3, 3, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ t|when }}", "Wed 3 Mar 2027, 12:05"),
        ("{{ t|when('Asia/Kathmandu') }}", "Wed 3 Mar 2027, 17:50"),
        ("{{ t|day('Pacific/Kiritimati') }}", "Thursday 4 March 2027"),
        ("{{ t|date('America/New_York') }}", "3 Mar 2027"),
        ("{{ t|clock('America/New_York') }}", "07:05"),
        ("{{ t|iso }}", "2027-03-03T12:05:00Z"),
        ("{{ t|offset('Asia/Kathmandu') }}", "GMT+5:45"),
        ("{{ 'America/Argentina/Buenos_Aires'|zone_label }}", "Buenos Aires"),
        ("{{ 90|duration }}", "1 h 30 min"),
        ("{{ 4500|money('EUR') }}", "€45.00"),
        ("{{ 4500|money('JPY') }}", "¥4,500"),
        ("{{ 'ada  king lovelace'|initials }}", "AL"),
        ("{{ '<'|initials }}", "&lt;"),
        ("{{ _('100%%') }}", "100%"),
        ("{{ _('Hello %(name)s', name='<b>') }}", "Hello &lt;b&gt;"),
        ("{% trans n=2 %}{{ n }} day{% pluralize %}{{ n }} days{% endtrans %}", "2 days"),
        (
            "{% trans name='<b>' %}<i>{{ name }}</i>, 50% off{% endtrans %}",
            "<i>&lt;b&gt;</i>, 50% off",
        ),
    ],
)
def test_it_reads_as_people_write_it(app: Flask, template: str, text: str) -> None:
    with app.test_request_context("/"):
        page = app.jinja_env.from_string(f"{{% autoescape true %}}{template}{{% endautoescape %}}")
        assert page.render(t=NOON) == text


def test_a_refusals_figures_are_in_the_readers_words(app: Flask) -> None:
    refusal = Refusal(
        "x",
        "%(left)s left until %(start)s; %(n)s times.",
        {
            "left": timedelta(hours=22),
            "start": NOON,
            "n": 3,
        },
    )
    with app.test_request_context("/"):
        assert display.sentence(refusal) == "22 h left until Wed 3 Mar 2027, 12:05; 3 times."


def test_a_length_and_a_word_inside_a_sentence_are_translated_too(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = {
        "%(hours)s h %(minutes)s min": "%(hours)s Std. %(minutes)s Min.",
        "missed": "versäumt",
        "%(left)s left; it is %(status)s.": "Noch %(left)s; sie ist %(status)s.",
    }
    monkeypatch.setattr(display, "_", lambda message: catalog.get(message, message))
    refusal = Refusal(
        "x",
        "%(left)s left; it is %(status)s.",
        {"left": timedelta(minutes=90), "status": "missed"},
    )
    with app.test_request_context("/"):
        assert display.sentence(refusal) == "Noch 1 Std. 30 Min.; sie ist versäumt."


def test_every_role_and_status_is_known_as_a_word() -> None:
    known = [*Role, *Status, *ContractStatus, *ProposalStatus]
    assert {str(one) for one in known} == set(display.WORDS)


def test_a_page_says_its_language(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "LANGUAGES", ("en", "pt_BR"))
    for wanted, said in (("pt-BR", "pt-BR"), ("ja", "en")):
        page = app.test_client().get("/sign-in", headers={"Accept-Language": wanted}).text
        assert f'<html lang="{said}">' in page
