"""Every route says who may enter; what changes anything is never a GET and needs a token."""

from typing import TYPE_CHECKING

from skileez.web import access

if TYPE_CHECKING:
    from flask import Flask

    from skileez.config import Settings

SAFE = {"GET", "HEAD", "OPTIONS"}

# The source document's ten routes, to the letter.
PROMISED = {
    ("POST", "/sessions/<int:session_id>/confirm"),
    ("GET", "/sessions/<int:session_id>/reschedule"),
    ("POST", "/sessions/<int:session_id>/reschedule"),
    ("GET", "/sessions/<int:session_id>/reschedule-approval"),
    ("POST", "/sessions/<int:session_id>/approve-reschedule"),
    ("POST", "/sessions/<int:session_id>/decline-reschedule"),
    ("GET", "/sessions/<int:session_id>/complete-form"),
    ("POST", "/sessions/<int:session_id>/complete"),
    ("POST", "/sessions/<int:session_id>/cancel"),
    ("POST", "/sessions/<int:session_id>/missed"),
}

# Pages that a person without an account needs, and nothing else; the mailbox is 404 but in a demo.
OPEN = {"assets.show", "dashboard.home", "healthz", "livez", "metrics", "readyz"}
OPEN |= {"demo_mail.html", "demo_mail.index", "demo_mail.show"}


def test_every_route_declares_who_may_enter(app: "Flask") -> None:
    silent = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if access.declared(app, rule.endpoint) is None
    ]
    assert silent == []


def test_an_undeclared_route_stops_the_start(settings: "Settings") -> None:
    import pytest

    from skileez.app import create_app

    app = create_app(settings)
    app.add_url_rule("/forgotten", "forgotten", lambda: "")
    with pytest.raises(RuntimeError, match="/forgotten"):
        access.check_every_route(app)


def test_the_routes_of_the_source_document_exist(app: "Flask") -> None:
    there = {
        (method, rule.rule.replace("<int:id>", "<int:session_id>"))
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    assert there >= PROMISED


def test_no_unsafe_route_is_exempt_from_the_token_but_links(app: "Flask") -> None:
    csrf = app.extensions["csrf"]
    links = {f"{view.__module__}.{view.__name__}" for view in access.links(app)}
    assert csrf._exempt_views == links
    assert not csrf._exempt_blueprints
    assert app.config.get("WTF_CSRF_ENABLED", True)
    assert app.config.get("WTF_CSRF_CHECK_DEFAULT", True)


def test_only_accounts_pages_are_open_to_everybody(app: "Flask") -> None:
    opened = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if access.declared(app, rule.endpoint) is access.PUBLIC
    }
    assert {endpoint for endpoint in opened - OPEN if not endpoint.startswith("auth.")} == set()


def test_a_link_s_address_holds_its_secret(app: "Flask") -> None:
    """Nothing else guards it: no sign-in, no form token."""
    links = [
        rule
        for rule in app.url_map.iter_rules()
        if access.declared(app, rule.endpoint) is access.LINK
    ]
    assert links
    assert [rule.rule for rule in links if "<token>" not in rule.rule] == []


def test_one_person_s_thing_is_found_through_that_person(app: "Flask") -> None:
    """An address with an id in it belongs to participants or to administrators."""
    for rule in app.url_map.iter_rules():
        if "int" in {type(c).__name__ for c in rule._converters.values()}:
            who = access.declared(app, rule.endpoint)
            assert who in (access.PARTICIPANT, access.ADMIN), rule.rule
