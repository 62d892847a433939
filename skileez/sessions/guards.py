"""What a person reads when the database itself refuses: the loser of a race, told kindly."""

from skileez import db
from skileez.errors import N_, Refusal

TAKEN_MEANWHILE = Refusal(
    "time_taken",
    N_("Somebody else just took this time. Nothing was changed; choose a different time."),
    field="scheduled_at",
)
NUMBER_TAKEN = Refusal(
    "number_taken",
    N_("This session of the contract was just booked by someone else. Look at it and try again."),
)
QUOTA_USED = Refusal(
    "quota_used",
    N_("All sessions of this contract are booked or completed."),
)


def install() -> None:
    """Teach ``transaction()`` these sentences."""
    db.guard("ex_booked_time_overlap", TAKEN_MEANWHILE)
    db.guard("uq_session_live_number", NUMBER_TAKEN)
    db.guard("session.contract_id, session.session_number", NUMBER_TAKEN)
    db.guard("ck_session_quota", QUOTA_USED)
    db.guard("uq_event_stream_position", db.BUSY)
    db.guard("event.stream, event.position", db.BUSY)
