"""Every route says who may enter, and means it."""

import pytest
from flask import Blueprint, Flask

from skileez.web import access
from skileez.web.access import ADMIN, LINK, PUBLIC, safe_path
from tests.doors.visitor import Visitor, add_person, text_of


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def test_a_route_that_does_not_say_who_may_enter_stops_the_start(app: Flask) -> None:
    access.check_every_route(app)
    silent = Flask("silent")
    silent.add_url_rule("/open-to-whom", "silent", lambda: "")
    with pytest.raises(RuntimeError, match="/open-to-whom"):
        access.check_every_route(silent)


def test_only_the_doors_and_the_assets_are_public(app: Flask) -> None:
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if access.declared(app, rule.endpoint) is PUBLIC
    }
    assert public == {
        "assets.show",
        "auth.reset",
        "auth.reset_request",
        "auth.sign_in",
        "auth.sign_up",
        "dashboard.home",
        "demo_mail.html",
        "demo_mail.index",
        "demo_mail.show",
        "healthz",
        "livez",
        "metrics",
        "readyz",
    }


def test_only_the_links_in_mails_work_for_whoever_holds_them(app: Flask) -> None:
    links = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if access.declared(app, rule.endpoint) is LINK
    }
    assert links == {"answers.press", "answers.show", "notifications.unsubscribe"}


def pages(app: Flask) -> list[tuple[str, str]]:
    """Every (method, path) that asks for a sign-in, its ids all 1."""
    adapter = app.url_map.bind("localhost")
    return [
        (method, adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, 1), method=method))
        for rule in app.url_map.iter_rules()
        if access.declared(app, rule.endpoint) not in (PUBLIC, LINK)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def test_a_visitor_who_is_not_signed_in_is_asked_to_on_every_other_page(
    app: Flask, visitor: Visitor
) -> None:
    token = visitor.token("/sign-in")
    for method, path in pages(app):
        answer = visitor.client.open(path, method=method, data={"csrf_token": token})
        assert answer.status_code == 303, (method, path)
        assert answer.location.startswith("/sign-in"), (method, path)


def test_the_way_back_is_remembered(visitor: Visitor) -> None:
    add_person()
    asked = visitor.get("/profile?tab=2")
    assert asked.location == "/sign-in?next=/profile?tab%3D2"
    page = visitor.get(asked.location)
    assert 'value="/profile?tab=2"' in page.text
    answer = visitor.post(
        "/sign-in", email="ada@example.org", password="correct horse", next="/profile?tab=2"
    )
    assert answer.location == "/profile?tab=2"


def test_a_form_sent_after_being_signed_out_leads_back_to_its_page(visitor: Visitor) -> None:
    token = visitor.token("/sign-in")
    answer = visitor.client.post(
        "/profile/password",
        data={"csrf_token": token},
        headers={"Referer": "https://localhost/profile"},
    )
    assert answer.location == "/sign-in?next=/profile"
    assert "You were signed out in the meantime" in text_of(visitor.get(answer.location))


@pytest.mark.parametrize("header", ["Referer", "HX-Current-URL"])
def test_an_address_that_is_none_leads_nowhere(visitor: Visitor, header: str) -> None:
    answer = visitor.post("/sign-out", headers={header: "https://["})
    assert (answer.status_code, answer.location) == (303, "/sign-in")


def test_a_form_sent_after_being_signed_out_gives_back_what_was_typed(visitor: Visitor) -> None:
    answer = visitor.client.post(
        "/sessions/1/cancel",
        data={"csrf_token": "x", "reason": "<b>My train</b> is late", "password": "correct horse"},
        headers={"Referer": "https://localhost/sessions/1/cancel-form"},
    )
    assert answer.status_code == 401
    assert "You were signed out in the meantime" in text_of(answer)
    assert "&lt;b&gt;My train&lt;/b&gt; is late" in answer.text
    assert "correct horse" not in answer.text
    assert 'href="/sign-in?next=/sessions/1/cancel-form"' in answer.text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example.com/",
        "//evil.example.com/",
        "/\\evil.example.com/",
        "\\\\evil.example.com",
        "/\t/evil.example.com",
        "javascript:alert(1)",
        "evil.example.com",
        " /profile",
        "/profile\r\nSet-Cookie: a=b",
        "",
        None,
    ],
)
def test_open_redirects_are_refused(target: str | None) -> None:
    assert safe_path(target, "/dashboard") == "/dashboard"


@pytest.mark.parametrize("target", ["/profile", "/sessions?state=missed&after=3", "/a//b"])
def test_paths_on_this_site_are_followed(target: str) -> None:
    assert safe_path(target, "/dashboard") == target


def test_signing_in_does_not_lead_to_another_site(visitor: Visitor) -> None:
    add_person()
    answer = visitor.post(
        "/sign-in", email="ada@example.org", password="correct horse", next="//evil.example.com"
    )
    assert answer.location == "/dashboard"


def test_programs_are_told_rather_than_sent_away(visitor: Visitor) -> None:
    answer = visitor.get("/profile", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.json["error"]["status"] == 401


def test_a_fragment_sends_the_whole_page_to_signing_in(visitor: Visitor) -> None:
    answer = visitor.get(
        "/profile",
        headers={"HX-Request": "true", "HX-Current-URL": "https://localhost/dashboard"},
    )
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/sign-in?next=/dashboard")


def test_administrators_pages_are_for_administrators(app: Flask, visitor: Visitor) -> None:
    add_person()
    add_person("admin@example.org", is_admin=True)
    visitor.sign_in()
    token = visitor.token("/sessions")
    for method, path in pages(app):
        endpoint, _ = app.url_map.bind("localhost").match(path, method)
        if access.declared(app, endpoint) is ADMIN:
            answer = visitor.client.open(path, method=method, data={"csrf_token": token})
            assert answer.status_code == 403, (method, path)
    visitor.sign_in("admin@example.org")
    assert visitor.get("/admin/people").status_code == 200


@pytest.mark.parametrize("number", ["0", "99999999999999999999", "2147483648", "-1", "1e3", "x"])
def test_a_number_that_no_id_has_is_nothing_here(visitor: Visitor, number: str) -> None:
    add_person(is_admin=True)
    visitor.sign_in()
    assert visitor.get(f"/admin/people/{number}").status_code == 404


def test_a_blueprint_may_not_hide_an_undeclared_route(app: Flask) -> None:
    hidden = Blueprint("hidden", __name__)
    hidden.add_url_rule("/hidden", "page", lambda: "")
    fresh = Flask("fresh")
    fresh.register_blueprint(hidden)
    with pytest.raises(RuntimeError, match=r"hidden\.page"):
        access.check_every_route(fresh)
