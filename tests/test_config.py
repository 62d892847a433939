"""A setting that cannot be used stops the start and names itself."""

import pytest

from skileez.config import DEFAULT_SECRET, ConfigError, Settings
from skileez.sessions import policy
from skileez.sessions.rules import Policy

SECRET = "k" * 40


def read(**environ: str) -> Settings:
    return Settings.from_environ({"SECRET_KEY": SECRET, **environ})


def test_the_defaults_are_those_of_the_rules() -> None:
    settings = read()
    assert settings.session_reschedule_notice_hours == 24
    assert settings.coach_reschedule_notice_hours == 48
    assert settings.session_reschedule_deadline_hours == 24
    assert settings.session_min_notice_hours == 10
    assert settings.session_strict_notice is False
    assert settings.session_no_show_grace_minutes == 30
    assert settings.session_min_lead_minutes == 60
    assert settings.session_correction_hours == 72
    assert settings.session_booking_horizon_days == 365
    assert settings.database_url.startswith("sqlite:///")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSION_RESCHEDULE_NOTICE_HOURS", "soon"),
        ("SESSION_RESCHEDULE_NOTICE_HOURS", "-1"),
        ("SESSION_RESCHEDULE_NOTICE_HOURS", "24.5"),
        ("SESSION_RESCHEDULE_NOTICE_HOURS", "9"),
        ("COACH_RESCHEDULE_NOTICE_HOURS", "9"),
        ("COACH_RESCHEDULE_NOTICE_HOURS", "99999999999"),
        ("SESSION_RESCHEDULE_DEADLINE_HOURS", "0"),
        ("SESSION_MIN_NOTICE_HOURS", "ten"),
        ("SESSION_STRICT_NOTICE", "perhaps"),
        ("SESSION_NO_SHOW_GRACE_MINUTES", "-30"),
        ("SESSION_BOOKING_HORIZON_DAYS", "0"),
        ("SESSION_MIN_LEAD_MINUTES", "525600"),
        ("SESSION_CORRECTION_HOURS", "x"),
        ("DATABASE_URL", "mysql://somewhere/else"),
        ("DATABASE_URL", "skileez.db"),
        ("DATABASE_URL", "sqlite://["),
        ("DATABASE_URL", "postgresql://host:port/name"),
        ("DATABASE_URL", "postgresql://user:w@rd@host/name"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", DEFAULT_SECRET),
        ("SECRET_KEY", ""),
        ("TRUSTED_PROXIES", "many"),
        ("LOG_LEVEL", "LOUD"),
        ("QUEUE_URL", "redis.example.org"),
        ("QUEUE_URL", "sqlite://"),
        ("QUEUE_URL", "sqlite:///"),
        ("SMTP_URL", "mail.example.org"),
        ("SMTP_URL", "smtp://host:notaport"),
        ("PUBLIC_URL", "sessions.example.org"),
        ("PUBLIC_URL", "javascript:alert(1)"),
        ("SIGN_IN_DAYS", "0"),
        ("SKILEEZ_DEMO", "maybe"),
    ],
)
def test_a_bad_value_is_refused_with_its_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(**{name: value})
    assert refused.value.name == name
    assert str(refused.value).startswith(f"{name}: ")


def test_mail_needs_a_sender_and_an_address_for_its_links() -> None:
    server = "smtp+starttls://user:word@mail.example.org:587"
    for sender in ("", "hello", "Sessions, Inc <hello@example.org>"):
        with pytest.raises(ConfigError, match="^MAIL_FROM: "):
            read(SMTP_URL=server, MAIL_FROM=sender)
    with pytest.raises(ConfigError, match="^PUBLIC_URL: "):
        read(SMTP_URL=server, MAIL_FROM="hello@example.org")
    for sender in ("hello@example.org", '"Sessions, Inc" <hello@example.org>'):
        read(SMTP_URL=server, MAIL_FROM=sender, PUBLIC_URL="https://example.org")


@pytest.mark.parametrize(("word", "meant"), [("true", True), ("NO", False), ("1", True)])
def test_a_switch_reads_plain_words(word: str, meant: bool) -> None:
    assert read(SESSION_STRICT_NOTICE=word).session_strict_notice is meant


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read(SESSION_MIN_NOTICE_HOURS=" ").session_min_notice_hours == 10


def test_the_demo_starts_with_the_default_secret() -> None:
    assert Settings.from_environ({"SKILEEZ_DEMO": "true"}).secret_key == DEFAULT_SECRET


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = read(DATABASE_URL="postgresql://user:hushhush@host/name")
    assert "hushhush" not in repr(settings)
    assert SECRET not in repr(settings)


def test_what_is_given_wins_over_the_environment() -> None:
    given = Settings.from_environ({"SECRET_KEY": "x", "LOG_LEVEL": "INFO"}, secret_key=SECRET)
    assert given.secret_key == SECRET


def test_an_operator_who_sets_nothing_gets_the_rules_own_figures() -> None:
    assert policy.of(Settings(skileez_demo=True)) == Policy()
