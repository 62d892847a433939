"""Settings, read once from the environment; a bad value stops the start and names itself.

A field of ``Settings`` is the environment variable of the same name in capitals, so there is no
second table to keep. An empty variable counts as not set.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from typing import Any, Final, Self
from urllib.parse import SplitResult, urlsplit

DEFAULT_SECRET: Final = "not-a-secret-fit-for-the-demo-only"
SECRET_LENGTH: Final = 32
TOKEN_LENGTH: Final = 16
YEAR_OF_HOURS: Final = 24 * 366
DATABASES: Final = ("sqlite", "postgresql", "postgres", "postgresql+psycopg")
QUEUES: Final = ("sqlite", "redis", "rediss", "postgresql", "postgres")
MAIL_SCHEMES: Final = ("smtp", "smtp+starttls", "smtps")
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
YES: Final = ("true", "yes", "on", "1")
NO: Final = ("false", "no", "off", "0")


class ConfigError(ValueError):
    """A setting cannot be used; the message starts with the variable's name."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name = name


def _text(default: str, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"read": lambda name, raw: raw})


def _whole(default: int, *, at_least: int = 0, at_most: int = YEAR_OF_HOURS) -> Any:
    def read(name: str, raw: str) -> int:
        try:
            return int(raw)
        except ValueError:
            raise ConfigError(name, f"{raw!r} is not a whole number") from None

    return field(default=default, metadata={"read": read, "range": (at_least, at_most)})


def _switch(default: bool) -> Any:
    def read(name: str, raw: str) -> bool:
        word = raw.lower()
        if word in YES or word in NO:
            return word in YES
        raise ConfigError(name, f"{raw!r} is neither yes nor no (write true or false)")

    return field(default=default, metadata={"read": read})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting with its default. Lengths of time carry their unit in the name.

    Raises ConfigError, when made, for a value that cannot be used.
    """

    # The house
    skileez_demo: bool = _switch(False)
    database_url: str = _text("sqlite:///instance/skileez.db", secret=True)
    secret_key: str = _text(DEFAULT_SECRET, secret=True)
    public_url: str = _text("")
    trusted_proxies: int = _whole(0, at_most=10)
    ratelimit_storage_uri: str = _text("memory://", secret=True)
    log_level: str = _text("INFO")
    streams_at_once: int = _whole(3, at_most=1000)
    smtp_url: str = _text("", secret=True)
    mail_from: str = _text("")
    queue_url: str = _text("", secret=True)
    metrics_token: str = _text("", secret=True)
    demo_speed: int = _whole(1, at_least=1, at_most=100_000)
    demo_clock: str = _text("")

    # The rules of a session
    session_reschedule_notice_hours: int = _whole(24)
    coach_reschedule_notice_hours: int = _whole(48)
    session_reschedule_deadline_hours: int = _whole(24, at_least=1)
    session_min_notice_hours: int = _whole(10)
    session_strict_notice: bool = _switch(False)
    session_min_lead_minutes: int = _whole(60, at_most=60 * YEAR_OF_HOURS)
    session_no_show_grace_minutes: int = _whole(30, at_most=60 * YEAR_OF_HOURS)
    session_booking_horizon_days: int = _whole(365, at_least=1, at_most=3660)
    session_correction_hours: int = _whole(72)

    # Accounts
    sign_in_days: int = _whole(30, at_least=1, at_most=366)
    password_time_cost: int = _whole(3, at_least=1, at_most=100)
    password_memory_kib: int = _whole(65536, at_least=8, at_most=4_194_304)
    password_hashes_at_once: int = _whole(2, at_least=1, at_most=256)
    sign_in_failures_per_account: int = _whole(10, at_least=1, at_most=1_000_000)
    sign_in_failures_per_address: int = _whole(50, at_least=1, at_most=1_000_000)
    resets_per_hour: int = _whole(5, at_least=1, at_most=1_000_000)
    sign_ups_per_hour: int = _whole(20, at_least=1, at_most=1_000_000)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], **given: Any) -> Self:
        """The settings of ``environ``; ``given`` ones win. Raises ConfigError."""
        read: dict[str, Any] = {}
        for one in fields(cls):
            name = one.name.upper()
            raw = environ.get(name, "").strip()
            if raw and one.name not in given:
                parse: Callable[[str, str], Any] = one.metadata["read"]
                read[one.name] = parse(name, raw)
        return cls(**read, **given)

    def __post_init__(self) -> None:
        for one in fields(self):
            if "range" in one.metadata:
                low, high = one.metadata["range"]
                value = getattr(self, one.name)
                if not low <= value <= high:
                    raise ConfigError(one.name.upper(), f"{value} is not between {low} and {high}")
        self._check_house()
        self._check_worker()
        self._check_mail()
        self._check_rules()

    def _check_house(self) -> None:
        database = _address("DATABASE_URL", self.database_url).scheme
        if database not in DATABASES:
            raise ConfigError("DATABASE_URL", "must start with sqlite:/// or postgresql://")
        if database != "sqlite" and self.database_url.count("@") > 1:
            # Else the rest of a password is taken for the host, and told when that is not found.
            raise ConfigError("DATABASE_URL", "an @ in its user, word or name is written %40")
        if not self.skileez_demo:
            if self.secret_key == DEFAULT_SECRET:
                raise ConfigError(
                    "SECRET_KEY",
                    "must be set outside the demo; make one with: "
                    "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
                )
            if len(self.secret_key) < SECRET_LENGTH:
                raise ConfigError("SECRET_KEY", f"must have at least {SECRET_LENGTH} characters")
        if self.log_level not in LOG_LEVELS:
            raise ConfigError("LOG_LEVEL", f"must be one of {', '.join(LOG_LEVELS)}")
        if self.demo_speed > 1 and not self.skileez_demo:
            raise ConfigError("DEMO_SPEED", "is for the demo only: here time passes as it does")
        if self.public_url:
            public = _address("PUBLIC_URL", self.public_url)
            if public.scheme not in ("http", "https") or not public.hostname:
                raise ConfigError("PUBLIC_URL", "must be a whole address such as https://host")

    def _check_worker(self) -> None:
        if self.queue_url:
            queue = _address("QUEUE_URL", self.queue_url)
            without_path = queue.scheme == "sqlite" and not queue.path.strip("/")
            if queue.scheme not in QUEUES or without_path:
                raise ConfigError(
                    "QUEUE_URL", "must be such as sqlite:///file, redis://host or postgresql://host"
                )
        if self.metrics_token and len(self.metrics_token) < TOKEN_LENGTH:
            raise ConfigError("METRICS_TOKEN", f"must have at least {TOKEN_LENGTH} characters")

    def _check_mail(self) -> None:
        if not self.smtp_url:
            return
        server = _address("SMTP_URL", self.smtp_url)
        if server.scheme not in MAIL_SCHEMES or not server.hostname:
            raise ConfigError("SMTP_URL", "must be such as smtp+starttls://user:word@host:587")
        if "@" not in parseaddr(self.mail_from)[1]:
            raise ConfigError("MAIL_FROM", "must be an e-mail address when SMTP_URL is set")
        if not self.public_url:
            # A link in a mail must not be built from what a request claims its host to be.
            raise ConfigError("PUBLIC_URL", "must be set when SMTP_URL is set")

    def _check_rules(self) -> None:
        for name in (
            "session_reschedule_notice_hours",
            "coach_reschedule_notice_hours",
        ):
            if getattr(self, name) < self.session_min_notice_hours:
                raise ConfigError(
                    name.upper(),
                    f"{getattr(self, name)} is less than SESSION_MIN_NOTICE_HOURS "
                    f"({self.session_min_notice_hours})",
                )
        if self.session_min_lead_minutes >= self.session_booking_horizon_days * 24 * 60:
            raise ConfigError(
                "SESSION_MIN_LEAD_MINUTES",
                "leaves nothing within SESSION_BOOKING_HORIZON_DAYS",
            )


def _address(name: str, raw: str) -> SplitResult:
    try:
        parts = urlsplit(raw)
        _ = parts.port
    except ValueError:
        raise ConfigError(name, "is not an address") from None
    return parts
