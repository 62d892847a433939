"""The policy in force: what the operator configured, or the product's defaults.

``create_app`` and the command line set it once at start; rules get it as an argument.
"""

from datetime import timedelta

from skileez.config import Settings
from skileez.sessions.rules import Policy

_in_force = Policy()


def in_force() -> Policy:
    """The policy that verbs use unless they are handed another."""
    return _in_force


def use(policy: Policy) -> None:
    """Make ``policy`` the one in force in this process."""
    global _in_force
    _in_force = policy


def of(settings: Settings) -> Policy:
    """The operator's figures as the rules take them."""
    return Policy(
        student_notice=timedelta(hours=settings.session_reschedule_notice_hours),
        coach_notice=timedelta(hours=settings.coach_reschedule_notice_hours),
        min_notice=timedelta(hours=settings.session_min_notice_hours),
        answer_within=timedelta(hours=settings.session_reschedule_deadline_hours),
        strict_notice=settings.session_strict_notice,
        min_lead=timedelta(minutes=settings.session_min_lead_minutes),
        horizon=timedelta(days=settings.session_booking_horizon_days),
        no_show_grace=timedelta(minutes=settings.session_no_show_grace_minutes),
        correction_within=timedelta(hours=settings.session_correction_hours),
    )


def configure(settings: Settings) -> None:
    """Make the operator's figures the ones in force."""
    use(of(settings))
