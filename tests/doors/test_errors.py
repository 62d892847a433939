"""Every refusal and failure: the right code, a clear sentence, in the kind that was asked for."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug import exceptions

from skileez.errors import Kind, NotFound, Refusal, Refused
from skileez.web import auth
from tests.doors.visitor import Visitor, add_person, text_of


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


@pytest.fixture
def failing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make the sign-up page raise."""

    def fail_with(error: BaseException) -> None:
        def view() -> None:
            raise error

        view.skileez_access = auth.PUBLIC  # type: ignore[attr-defined]
        monkeypatch.setitem(app.view_functions, "auth.sign_up", view)

    return fail_with


def refusal(kind: Kind) -> Refused:
    return Refused(Refusal("too_soon", "Only %(hours)s h left.", {"hours": 3}, kind))


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (refusal(Kind.INVALID), 422, "Only 3 h left."),
        (refusal(Kind.FORBIDDEN), 403, "Only 3 h left."),
        (refusal(Kind.CONFLICT), 409, "Only 3 h left."),
        (NotFound(), 404, "There is nothing here"),
        (StaleDataError(), 409, "changed since you opened the page"),
        (exceptions.BadRequest(), 400, "could not be read"),
        (exceptions.Forbidden(), 403, "may not open this page"),
        (exceptions.UnsupportedMediaType(), 415, "could not be read"),
        (exceptions.ServiceUnavailable(), 503, "Something broke on our side"),
        (ZeroDivisionError("a secret"), 500, "Something broke on our side"),
    ],
)
def test_each_is_answered_with_its_code_and_a_sentence(
    visitor: Visitor,
    failing: Callable[[BaseException], None],
    error: BaseException,
    status: int,
    says: str,
) -> None:
    failing(error)
    page = visitor.get("/sign-up")
    assert page.status_code == status
    assert says in text_of(page)
    assert "secret" not in page.text
    assert "<html" in page.text
    assert page.headers["X-Request-ID"] in page.text
    fragment = visitor.get("/sign-up", headers={"HX-Request": "true"})
    assert fragment.status_code == status
    assert says in text_of(fragment) or status in (404, 409, 500, 503, 415, 403, 400)
    assert "<html" not in fragment.text
    data = visitor.get("/sign-up", headers={"Accept": "application/json"})
    assert data.status_code == status
    assert data.json["error"]["status"] == status
    assert data.json["error"]["message"]


def test_a_refusal_tells_programs_its_code(
    visitor: Visitor, failing: Callable[[BaseException], None]
) -> None:
    failing(refusal(Kind.CONFLICT))
    answer = visitor.get("/sign-up", headers={"Accept": "application/json"})
    assert answer.json["error"] == {"status": 409, "code": "too_soon", "message": "Only 3 h left."}


def test_what_was_typed_comes_back_with_a_refusal(
    visitor: Visitor, failing: Callable[[BaseException], None]
) -> None:
    failing(refusal(Kind.CONFLICT))
    answer = visitor.post("/sign-up", reason="<i>ill</i>", password="correct horse")
    assert answer.status_code == 409
    assert "&lt;i&gt;ill&lt;/i&gt;" in answer.text
    assert "correct horse" not in answer.text


def test_a_method_that_a_page_does_not_take_is_named(visitor: Visitor) -> None:
    answer = visitor.client.delete("/sign-in")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert "Not that way" in text_of(answer)


def test_an_unknown_address_says_so_to_everybody(visitor: Visitor) -> None:
    assert "There is nothing here" in text_of(visitor.get("/no/such/page"))
    add_person()
    visitor.sign_in()
    page = visitor.get("/no/such/page")
    assert page.status_code == 404
    assert "Ada Lovelace" in text_of(page)


def test_an_error_page_stands_even_without_a_database(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_person()
    visitor.sign_in()

    def broken(*given: object, **named: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr("skileez.accounts.actions.find_signed_in", broken)
    page = visitor.get("/profile")
    assert page.status_code == 500
    assert "Something broke on our side" in text_of(page)
    assert "<html" in page.text
    monkeypatch.setattr("skileez.web.errors.render_template", broken)
    plain = visitor.get("/profile")
    assert (plain.status_code, plain.mimetype) == (500, "text/plain")
