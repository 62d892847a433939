"""The rules of a meeting link, a session's or a contract's: what it is, who sets it. Pure."""

from urllib.parse import urlsplit

from skileez.contracts.rules import ContractStatus
from skileez.contracts.standing_rules import refuse_unless
from skileez.errors import N_, Kind, Refusal

URL_MAX = 500


def check_meeting_url(url: str | None) -> Refusal | None:
    """A meeting link is an https address with a host, or empty."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is no number
        # What stands before "@" is no host, and "\\" ends the host in a browser.
        plain = not set("@\\") & set(parts.netloc)
        # In small letters, as a CHECK of both databases has it.
        ok = url.startswith("https://") and bool(parts.hostname) and plain
    except ValueError:
        ok = False
    if not ok or len(url) > URL_MAX or any(not c.isprintable() or c.isspace() for c in url):
        return Refusal(
            "meeting_link_not_https",
            N_("A meeting link starts with https:// and has at most %(most)s characters."),
            {"most": URL_MAX},
            Kind.INVALID,
            "meeting_url",
        )
    return None


def may_set_meeting_link(status: str, *, is_coach: bool) -> Refusal | None:
    """The coach says where the sessions are held, until the contract is over."""
    if not is_coach:
        return Refusal(
            "only_the_coach_sets_the_contracts_link",
            N_("Only the coach sets the meeting link of a contract."),
            {},
            Kind.FORBIDDEN,
        )
    return refuse_unless(status, ContractStatus.ACTIVE, ContractStatus.PAUSED)


def check_link_shown(current: str | None, said: str, *, shown: bool) -> Refusal | None:
    """Whether a new meeting link replaces the one that the page showed, or is there already."""
    if shown or (said or None) == current:
        return None
    if current is None:
        return Refusal(
            "meeting_link_removed",
            N_(
                "The meeting link was removed since you opened the page. Nothing was saved; "
                "save once more if yours is right."
            ),
            field="meeting_url",
        )
    return Refusal(
        "meeting_link_changed",
        N_(
            "The meeting link was changed since you opened the page: it is now %(link)s. "
            "Nothing was saved; save once more if yours is right."
        ),
        {"link": current},
        field="meeting_url",
    )
