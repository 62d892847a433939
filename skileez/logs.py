"""Logs as one JSON object a line, each carrying the id of the request that caused it.

Never a query string or a token: the route is logged, not the address.
"""

import logging
import re
import sys
from typing import Final, TextIO
from uuid import uuid4

import structlog
from structlog.typing import Processor

_HANDLER_NAME: Final = "skileez"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


class _ToStandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is now, not to what it was when the logs were set up."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def configure(level: str, *, readable: bool = False) -> None:
    """Send every log, other libraries' too, to standard error; ``readable`` for a terminal."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last: list[Processor] = (
        [
            structlog.dev.ConsoleRenderer(
                colors=False,
                # The fancier formatters print local variables, secrets among them.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
        if readable
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = _ToStandardError()
    handler.name = _HANDLER_NAME
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if one.name != _HANDLER_NAME] + [handler]
    root.setLevel(level)
    # It tells of each of its own parts.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; give it an event and keyword values: ``log.info("mail.sent", to=3)``."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound


def request_id(given: str | None) -> str:
    """``given`` by a proxy in front, if it is harmless to repeat; else a new one."""
    return given if given and _REQUEST_ID.fullmatch(given) else uuid4().hex
