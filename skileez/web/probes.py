"""What machines ask: whether this process lives, whether all of it works, and the figures.

``/livez`` is for whoever shares out the visitors or starts a process anew: pages can be shown while
the worker is away, so its absence must not take them from their readers. ``/healthz`` and
``/readyz`` are for whoever is woken at night, and turn red with the worker.
"""

import hmac
from collections.abc import Iterator, Mapping
from typing import Final

from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import NotFound

from skileez import __version__, clock, db, logs
from skileez.config import Settings
from skileez.errors import duration
from skileez.insights import operation
from skileez.insights.operation import Operation
from skileez.insights.rules import Going
from skileez.sessions import policy
from skileez.web.access import PUBLIC, access

ENDPOINTS: Final = ("livez", "healthz", "readyz", "metrics")
"""Asked every few seconds, so their requests are not logged."""

PLAIN: Final = {"Content-Type": "text/plain; charset=utf-8"}

SENT: Final = ("sent", "retried", "dropped", "parked")
SETTLED: Final = ("approved", "to_be_scheduled", "lapsed", "missed")

log = logs.logger(__name__)


def init_app(app: Flask) -> None:
    """Answer them at the root, where everybody looks for them."""
    for view in (livez, healthz, readyz, metrics):
        app.add_url_rule(f"/{view.__name__}", view.__name__, view)


@access(PUBLIC)
def livez() -> ResponseReturnValue:
    """Whether the application and its database answer."""
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        log.exception("livez.failed")
        return "database unreachable\n", 503, PLAIN
    return "ok\n", 200, PLAIN


@access(PUBLIC)
def healthz() -> ResponseReturnValue:
    """Whether everything works that should: the schema, the worker, what is due."""
    return _unless_wrong("ok\n")


@access(PUBLIC)
def readyz() -> ResponseReturnValue:
    """The same, for who looks for it under this name."""
    return _unless_wrong("ready\n")


def _unless_wrong(well: str) -> ResponseReturnValue:
    wrong = list(_problems())
    if wrong:
        return "".join(f"{one}\n" for one in wrong), 503, PLAIN
    return well, 200, PLAIN


def _problems() -> Iterator[str]:
    try:
        wrong = _schema_problem()
    except SQLAlchemyError:
        log.exception("healthz.failed")
        yield "database unreachable"
        return
    if wrong:
        yield wrong
        return
    found = _look()
    if found.going is Going.NO_WORKER:
        yield "no worker: what is due waits until one runs (skileez worker)"
    elif found.going is Going.LATE:
        oldest = max(one.oldest for one in found.due.values())
        yield f"late: the oldest that is due has waited {duration(oldest)}"


def _schema_problem() -> str | None:
    wrong = db.wrong_schema()
    if wrong is None:
        return None
    # In sentences of its own: those of ``db`` follow the name of a setting.
    if wrong.found is None:
        return "the database has no tables: run skileez migrate"
    if wrong.ahead:
        return "the database is ahead of this version: install the newer one here"
    return "the database is behind this version: run skileez migrate"


@access(PUBLIC)
def metrics() -> ResponseReturnValue:
    """The figures for Prometheus, for who has the token; for others there is nothing here."""
    settings: Settings = current_app.config["SKILEEZ"]
    given = request.headers.get("Authorization", "").encode()
    token = f"Bearer {settings.metrics_token}".encode()
    if not settings.metrics_token or not hmac.compare_digest(given, token):
        raise NotFound
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return encode(registry), 200, {"Content-Type": content_type}


class _Figures(Collector):
    """Read from the database when asked: every process answers the same."""

    def collect(self) -> Iterator[Metric]:
        found = _look()
        yield GaugeMetricFamily("skileez_workers_alive", "Workers that live", found.alive)
        yield _by("skileez_due", "How many are due", {k: v.count for k, v in found.due.items()})
        yield _by(
            "skileez_lag_seconds",
            "For how long the oldest that is due has waited",
            {kind: one.oldest.total_seconds() for kind, one in found.due.items()},
        )
        yield _by("skileez_parked", "How many failed too often", found.parked)
        info = GaugeMetricFamily("skileez_build_info", "What runs here", labels=["version"])
        info.add_metric([__version__], 1)
        yield info
        yield from _done(found)


def _look() -> Operation:
    return operation.look(clock.now(), policy.in_force(), speed=clock.speed())


def _by(name: str, says: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, says, labels=["kind"])
    for kind, value in values.items():
        family.add_metric([kind], value)
    return family


def _done(found: Operation) -> Iterator[Metric]:
    """What each worker did since it started; a worker's name is new with each start."""
    told = {
        "skileez_deliveries": ("Messages by what became of them", SENT),
        "skileez_settled": ("Sessions and requests that time decided", SETTLED),
    }
    for name, (says, outcomes) in told.items():
        family = CounterMetricFamily(name, says, labels=["worker", "outcome"])
        for worker in found.workers:
            for outcome in outcomes:
                family.add_metric([worker.name, outcome], worker.figures.get(outcome, 0))
        yield family
    for name, says, figure in (
        ("skileez_events", "Events that were acted upon", "events"),
        ("skileez_job_errors", "Jobs that failed", "errors"),
    ):
        family = CounterMetricFamily(name, says, labels=["worker"])
        for worker in found.workers:
            family.add_metric([worker.name], worker.figures.get(figure, 0))
        yield family
