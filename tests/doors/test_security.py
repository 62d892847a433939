"""What every answer carries, and what is turned away before any view."""

import re
from typing import Any

import pytest
from flask import Flask

from skileez.app import create_app
from skileez.config import ConfigError, Settings
from skileez.web import assets
from skileez.web.security import LARGEST_REQUEST, POLICY
from tests.doors.visitor import Visitor, add_person, text_of

A_FILE = (
    b'--b\r\nContent-Disposition: form-data; name="display_name"; filename="x"\r\n\r\n'
    b"x\r\n--b--\r\n"
)


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def test_every_answer_carries_the_headers(visitor: Visitor) -> None:
    for path in ("/sign-in", "/nothing", "/livez", "/profile", "/static/x/css/tokens.css"):
        headers = visitor.get(path).headers
        assert headers["Content-Security-Policy"] == POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-ID"])


def test_the_policy_has_no_exceptions() -> None:
    assert "unsafe" not in POLICY
    assert "default-src 'self'" in POLICY
    assert "*" not in POLICY


def test_https_is_insisted_on_only_where_there_is_https(app: Flask) -> None:
    client = app.test_client()
    secure = client.get("/sign-in", base_url="https://localhost")
    plain = client.get("/sign-in", base_url="http://localhost")
    assert "max-age=" in secure.headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in plain.headers


def test_pages_are_kept_by_nobody(visitor: Visitor) -> None:
    add_person()
    visitor.sign_in()
    for path in ("/profile", "/sign-up", "/nothing"):
        answer = visitor.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Cookie" in answer.vary


def test_static_files_are_kept_for_long_under_an_address_that_changes(visitor: Visitor) -> None:
    page = visitor.get("/sign-in").text
    address = re.search(r'href="(/static/[0-9a-f]+/css/all\.css)"', page)
    assert address
    answer = visitor.get(address[1])
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert "Cookie" not in answer.vary
    assert "Set-Cookie" not in answer.headers
    assert answer.mimetype == "text/css"
    assert answer.data == b"\n".join(
        (assets.FOLDER / "css" / f"{sheet}.css").read_bytes() for sheet in assets.SHEETS
    )
    old = visitor.get("/static/0123456789ab/css/tokens.css")
    assert "immutable" not in old.headers["Cache-Control"]


def test_every_stylesheet_is_loaded() -> None:
    there = {path.stem for path in (assets.FOLDER / "css").glob("*.css")}
    assert sorted(assets.SHEETS) == sorted(there)


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "css/../../app.py"])
def test_nothing_but_static_files_is_served(visitor: Visitor, name: str) -> None:
    assert visitor.get(f"/static/x/{name}").status_code == 404


def test_a_form_without_its_token_does_nothing_and_gives_back_what_was_typed(
    visitor: Visitor,
) -> None:
    answer = visitor.client.post(
        "/sign-up", data={"display_name": "<b>Ada</b>", "password": "correct horse"}
    )
    assert answer.status_code == 400
    assert "nothing was done" in text_of(answer)
    assert "&lt;b&gt;Ada&lt;/b&gt;" in answer.text
    assert "correct horse" not in answer.text


def test_a_token_of_another_visitor_does_not_fit(app: Flask) -> None:
    stranger = Visitor(app).token("/sign-in")
    visitor = Visitor(app)
    visitor.get("/sign-in")
    answer = visitor.client.post("/sign-in", data={"csrf_token": stranger})
    assert answer.status_code == 400


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_on_another_site_is_refused_even_with_a_token(visitor: Visitor, site: str) -> None:
    answer = visitor.post("/sign-in", headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 400
    assert "another site" in text_of(answer)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 400),
        ("https://localhost.evil.example", 400),
        ("null", 400),
        ("https://[half", 400),
        ("http://localhost", 422),
        ("https://localhost:8443", 422),
    ],
)
def test_a_browser_that_says_only_its_origin_is_held_to_it(
    visitor: Visitor, origin: str, status: int
) -> None:
    answer = visitor.post("/sign-in", headers={"Origin": origin})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "body",
    [
        {"data": A_FILE, "content_type": "multipart/form-data; boundary=b"},
        {"json": {"display_name": 5, "zone": ["UTC"]}},
        {"json": ["display_name"]},
    ],
)
def test_files_and_json_are_no_text(visitor: Visitor, body: dict[str, Any]) -> None:
    add_person()
    visitor.sign_in()
    headers = {"X-CSRFToken": visitor.token("/profile")}
    answer = visitor.client.post("/profile", headers=headers, **body)
    assert answer.status_code == 422
    assert "Write the name" in answer.text


def test_a_character_that_no_database_stores_is_refused(visitor: Visitor) -> None:
    add_person(is_admin=True)
    assert visitor.post("/sign-up", display_name="A\0da").status_code == 400
    visitor.sign_in()
    assert visitor.get("/admin/people?q=%00").status_code == 400


def test_a_request_that_is_too_large_is_refused_with_a_page(visitor: Visitor) -> None:
    answer = visitor.post("/sign-up", display_name="x" * LARGEST_REQUEST)
    assert answer.status_code == 413
    assert "That is too much at once" in text_of(answer)


def test_reading_a_page_never_writes(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from skileez import db
    from skileez.web import profile

    add_person()
    visitor = Visitor(app)
    visitor.sign_in()

    def writes(*given: object, **named: object) -> list[object]:
        from skileez.accounts.models import Person

        db.session.query(Person).update({"display_name": "Eve"})
        return []

    monkeypatch.setattr(profile.queries, "sign_ins", writes)
    assert visitor.get("/profile").status_code == 500


def test_a_request_id_from_a_proxy_is_kept_if_it_is_harmless(visitor: Visitor) -> None:
    kept = visitor.get("/livez", headers={"X-Request-ID": "abc-123.def_4"})
    assert kept.headers["X-Request-ID"] == "abc-123.def_4"
    new = visitor.get("/livez", headers={"X-Request-ID": '"><script>'})
    assert "script" not in new.headers["X-Request-ID"]


def test_the_log_tells_the_route_and_keeps_the_token(
    capsys: pytest.CaptureFixture[str], visitor: Visitor
) -> None:
    visitor.get("/reset/very-secret-token?also=secret")
    said = capsys.readouterr().err
    assert "/reset/<key>" in said
    assert "secret" not in said


def test_the_application_says_that_it_is_well(visitor: Visitor) -> None:
    answer = visitor.get("/livez")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_the_demo_keeps_its_cookie_on_plain_http(database: str) -> None:
    app = create_app(
        Settings(
            skileez_demo=True,
            database_url=database,
            password_memory_kib=8,
            password_time_cost=1,
        )
    )
    add_person()
    visitor = Visitor(app)
    said = visitor.sign_in().headers["Set-Cookie"]
    assert said.startswith("skileez=")
    assert "Secure" not in said
    assert visitor.is_signed_in()


@pytest.mark.parametrize("store", ["nowhere://", "memcached://127.0.0.1:1", "not a store"])
def test_a_store_of_counts_that_cannot_be_used_stops_the_start(
    settings: Settings, store: str
) -> None:
    import dataclasses

    with pytest.raises(ConfigError, match=r"^RATELIMIT_STORAGE_URI: "):
        create_app(dataclasses.replace(settings, ratelimit_storage_uri=store))


def test_behind_a_proxy_the_address_and_the_scheme_are_the_visitors(
    settings: Settings,
) -> None:
    import dataclasses

    from skileez.web.throttle import address

    app = create_app(dataclasses.replace(settings, trusted_proxies=1))
    seen: list[str] = []
    app.before_request(lambda: seen.append(address()))
    headers = {"X-Forwarded-For": "203.0.113.5, 2001:db8:1:2:3::4", "X-Forwarded-Proto": "https"}
    answer = app.test_client().get("/livez", base_url="http://localhost", headers=headers)
    assert seen == ["2001:db8:1:2::/64"]
    assert "Strict-Transport-Security" in answer.headers
