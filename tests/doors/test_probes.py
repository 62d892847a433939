"""What machines are told: alive, ready, and the figures."""

import re
from collections.abc import Callable, Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from skileez import __version__, db, heartbeat
from skileez.config import ConfigError, Settings
from skileez.web import operations, probes
from tests.cast import DAY, MINUTE, NOW, SECOND
from tests.doors.operating import beat, nothing_due, park, park_event, post
from tests.doors.stage import Stage
from tests.doors.visitor import Visitor

TOKEN = "a token that only the test knows"


def test_ready_when_the_schema_is_new_a_worker_lives_and_nothing_waits(stage: Stage) -> None:
    nothing_due()
    beat()
    answer = Visitor(stage.app).get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\n")
    assert answer.mimetype == "text/plain"


def no_worker(stage: Stage) -> None:
    beat(2 * MINUTE)


def late_message(stage: Stage) -> None:
    beat()
    post(stage, due_at=NOW - 3 * MINUTE)


def late_event(stage: Stage) -> None:
    beat()
    stage.book(2 * DAY)
    stage.after(3 * MINUTE)
    heartbeat.beat("host:1", __version__, {}, NOW + 3 * MINUTE)


def behind(stage: Stage) -> None:
    _schema("0001")


def ahead(stage: Stage) -> None:
    _schema("9999")


def _schema(number: str) -> None:
    beat()
    with db.transaction():
        db.session.execute(text("UPDATE alembic_version SET version_num = :n"), {"n": number})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (no_worker, "no worker"),
        (late_message, "late: the oldest that is due has waited 3 min"),
        (late_event, "late: the oldest that is due has waited 3 min"),
        (behind, "the database is behind this version: run skileez migrate"),
        (ahead, "the database is ahead of this version"),
    ],
)
def test_not_ready_and_why(stage: Stage, spoil: Callable[[Stage], None], said: str) -> None:
    nothing_due()
    spoil(stage)
    for path in ("/healthz", "/readyz"):
        answer = Visitor(stage.app).get(path)
        assert answer.status_code == 503
        assert said in answer.text
    assert Visitor(stage.app).get("/livez").status_code == 200, "its pages can still be shown"


def test_two_minutes_late_is_still_ready_and_parked_is_not_late(stage: Stage) -> None:
    nothing_due()
    beat()
    post(stage, 1, due_at=NOW - 2 * MINUTE)
    park(stage, 2)
    visitor = Visitor(stage.app)
    answers = [visitor.get(path) for path in ("/livez", "/healthz", "/readyz")]
    assert [one.status_code for one in answers] == [200, 200, 200]
    assert [one.text for one in answers] == ["ok\n", "ok\n", "ready\n"]


def test_without_its_database_nothing_is_ready(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor(stage.app)

    def away(*given: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("away"))

    monkeypatch.setattr(db.session, "execute", away)
    monkeypatch.setattr(db.session, "scalar", away)
    for path in ("/livez", "/healthz", "/readyz"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.text) == (503, "database unreachable\n")


def test_a_database_without_tables_is_told_apart(bare_database: str, settings: Settings) -> None:
    db.bind(bare_database)
    no_tables = "the database has no tables: run skileez migrate"
    assert probes._schema_problem() == no_tables
    with db.transaction():
        db.session.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
    assert probes._schema_problem() == no_tables, "a migration that got no further"


@pytest.fixture
def metrics(stage: Stage) -> Iterator[Callable[..., dict[str, float]]]:
    """The figures by name and labels, as Prometheus reads them."""
    object.__setattr__(stage.app.config["SKILEEZ"], "metrics_token", TOKEN)

    def read() -> dict[str, float]:
        answer = Visitor(stage.app).get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        return {
            " ".join([sample.name, *sorted(sample.labels.values())]): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    yield read
    object.__setattr__(stage.app.config["SKILEEZ"], "metrics_token", "")


def test_prometheus_reads_how_it_stands(
    stage: Stage, metrics: Callable[..., dict[str, float]]
) -> None:
    nothing_due()
    beat()
    beat(2 * MINUTE, "host:2")
    post(stage, 1, due_at=NOW - 90 * SECOND)
    park(stage, 2)
    park_event(stage)
    read = metrics()
    assert read["skileez_workers_alive"] == 1
    assert read["skileez_due messages"] == 1
    assert read["skileez_lag_seconds messages"] == 90
    assert read["skileez_due events"] == 0
    assert (read["skileez_parked messages"], read["skileez_parked events"]) == (1, 1)
    assert read["skileez_deliveries_total host:1 sent"] == 7
    assert read["skileez_events_total host:1"] == 12
    assert read["skileez_settled_total host:2 lapsed"] == 2
    assert read["skileez_job_errors_total host:1"] == 0
    assert read[f"skileez_build_info {__version__}"] == 1


def test_the_figures_are_not_there_for_who_has_no_token(
    stage: Stage, metrics: Callable[..., dict[str, float]]
) -> None:
    visitor = Visitor(stage.app)
    for given in ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer ü"):
        answer = visitor.get("/metrics", headers={"Authorization": given})
        assert answer.status_code == 404, given
        assert "skileez_" not in answer.text


def test_without_the_setting_there_are_no_figures_for_anybody(stage: Stage) -> None:
    visitor = Visitor(stage.app)
    for given in ("", "Bearer ", "Bearer None"):
        assert visitor.get("/metrics", headers={"Authorization": given}).status_code == 404


def test_a_token_that_could_be_guessed_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="METRICS_TOKEN"):
        Settings(skileez_demo=True, metrics_token="guess me")


def test_open_pages_tell_nothing_private(stage: Stage) -> None:
    beat(name="secret-host:1")
    park(stage)
    said = Visitor(stage.app).get("/readyz").text
    assert not re.search(rf"secret-host|{stage.cast.student.email}|session\.booked", said)


def test_page_and_figures_name_the_same_things_of_a_worker() -> None:
    assert {*probes.SENT, *probes.SETTLED, "events", "errors"} == set(operations.DID)
