"""What people wish to be told, and the end of a digest."""

import pytest
from flask import Flask

from skileez.notifications import unsubscribing, wishes
from skileez.notifications.rules import DAILY, WEEKLY
from skileez.notifications.wishes import Choice
from tests.doors.stage import Stage
from tests.doors.visitor import Visitor, text_of

WISHES = "/profile/notifications"


def test_wishes_are_saved_and_shown(stage: Stage) -> None:
    coach = stage["coach"]
    assert "each morning" in text_of(coach.get(WISHES)).lower()
    fields = {"reminders": ["15", "180"], "quiet_from": "22:30", "quiet_to": "07:00"}
    answer = coach.post(WISHES, WISHES, weekly="y", **fields)
    assert (answer.status_code, answer.location) == (303, WISHES)
    assert wishes.of(stage.cast.coach.id) == Choice(
        mail=False,
        reminders=(180, 15),
        quiet_from=22 * 60 + 30,
        quiet_to=7 * 60,
        daily=False,
        weekly=True,
    )
    page = coach.get(WISHES)
    assert "You are told like this from now on." in text_of(page)
    assert 'value="22:30"' in page.text
    assert page.text.count(" checked") == 3
    assert "New York, where it is 07:00 now" in text_of(page)


def test_digests_are_for_those_who_coach(stage: Stage) -> None:
    student = stage["student"]
    assert "morning" not in text_of(student.get(WISHES))
    student.post(WISHES, WISHES, mail="y")
    assert wishes.of(stage.cast.student.id) == Choice(reminders=())


REFUSED = [
    ({"quiet_from": "22:00"}, "need a beginning and an end"),
    ({"quiet_from": "22:00", "quiet_to": "22:00"}, "cannot last the whole day"),
    ({"quiet_from": "25:00", "quiet_to": "07:00"}, "Write a time of the day"),
    ({"quiet_from": "late", "quiet_to": "07:00"}, "Write a time of the day"),
    ({"reminders": ["61"]}, "61 minutes before is not offered"),
    ({"reminders": ["soon"]}, "0 minutes before is not offered"),
]


def test_a_wish_that_cannot_be_kept_says_why_and_what_was_typed_stays(
    stage: Stage, subtests: pytest.Subtests
) -> None:
    token = stage["coach"].token(WISHES)
    for fields, says in REFUSED:
        with subtests.test(says, **fields):
            answer = stage["coach"].client.post(WISHES, data={"csrf_token": token, **fields})
            assert answer.status_code == 422
            assert says in text_of(answer)
            assert f'value="{fields.get("quiet_from", "")}"' in answer.text
    assert wishes.of(stage.cast.coach.id) == Choice()


# --- the end of a digest -------------------------------------------------------------------


def test_looking_at_the_link_of_a_digest_ends_nothing(stage: Stage, app: Flask) -> None:
    path = unsubscribing.path(stage.cast.coach.id, WEEKLY)
    answer = Visitor(app).get(path)
    assert answer.status_code == 200
    assert "No weekly overview any more?" in text_of(answer)
    assert answer.headers.getlist("Referrer-Policy") == ["no-referrer"]
    assert wishes.of(stage.cast.coach.id) == Choice()


def test_a_mail_program_ends_a_digest_without_a_page(stage: Stage, app: Flask) -> None:
    path = unsubscribing.path(stage.cast.coach.id, DAILY)
    for _ in range(2):
        answer = app.test_client().post(
            path,
            data={"List-Unsubscribe": "One-Click"},
            headers={"Origin": "https://mail.example.org", "Sec-Fetch-Site": "cross-site"},
        )
        assert answer.status_code == 200
        assert "coach@example.org gets no daily overview any more." in text_of(answer)
    assert wishes.of(stage.cast.coach.id) == Choice(daily=False)


def test_the_button_on_the_page_does_the_same_whoever_is_signed_in(stage: Stage) -> None:
    path = unsubscribing.path(stage.cast.coach.id, DAILY)
    page = stage["student"].get(path)
    assert "Amara" not in page.text
    assert stage["student"].client.post(path).status_code == 200
    assert wishes.of(stage.cast.coach.id) == Choice(daily=False)
    assert wishes.of(stage.cast.student.id) == Choice()


def test_a_link_that_we_did_not_make_is_nothing_here(stage: Stage, app: Flask) -> None:
    path = unsubscribing.path(stage.cast.coach.id, DAILY)
    for spoiled in (path[:-1], path.replace("daily", "weekly"), "/unsubscribe/x", f"{path}/x"):
        assert Visitor(app).get(spoiled).status_code == 404
        assert app.test_client().post(spoiled).status_code == 404
    nobody = unsubscribing.path(10_000, DAILY)
    assert app.test_client().post(nobody).status_code == 404
    assert wishes.of(stage.cast.coach.id) == Choice()
