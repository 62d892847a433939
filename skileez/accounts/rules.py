"""What a person, a password and an administrator's change must be like: pure.

Each ``may_*`` answers None for yes, or the Refusal that says why not.
"""

import re
import unicodedata
from datetime import timedelta
from typing import Final

from skileez.errors import N_, Kind, Refusal

EMAIL_MAX: Final = 254
NAME_MAX: Final = 80
PASSWORD_MIN: Final = 10
PASSWORD_MAX: Final = 200
RESET_LASTS: Final = timedelta(hours=1)
AGENT_MAX: Final = 200

# ASCII only: two databases and a mail server must all agree on what its lower case is.
_EMAIL: Final = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_EMAIL_LOCAL_MAX: Final = 64
_DIRECTION_MARKS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

COMMON_PASSWORDS: Final = frozenset(
    """
    1234567890 0123456789 0987654321 9876543210 1234567891 12345678910 123456789a 123456789q
    1111111111 0000000000 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc qwertyuiop qwerty1234 qwerty12345
    qwerty123456 asdfghjkl1 password12 password123 password1234 password12345 passw0rd123
    mypassword letmein123 welcome123 welcome1234 iloveyou12 iloveyou123 administrator admin12345
    football12 baseball12 basketball superman123 sunshine12 princess12 changeme123 abcdefghij
    abcd123456 abc1234567 a123456789 aaaaaaaaaa q1w2e3r4t5 zxcvbnm123 trustno1234 skileez123
    """.split()  # noqa: SIM905 - one a line would hide the rules behind a wall
)

EMAIL_INVALID: Final = Refusal(
    "email_invalid",
    N_("Write an e-mail address such as name@example.org."),
    kind=Kind.INVALID,
    field="email",
)
EMAIL_TAKEN: Final = Refusal(
    "email_taken",
    N_("There is already an account with this e-mail address. Sign in, or reset its password."),
    kind=Kind.CONFLICT,
    field="email",
)
SIGN_IN_FAILED: Final = Refusal(
    "sign_in_failed",
    N_("This e-mail address and password do not go together. Check both and try again."),
    kind=Kind.INVALID,
)
PASSWORD_WRONG: Final = Refusal(
    "password_wrong",
    N_("This is not your current password."),
    kind=Kind.INVALID,
    field="current_password",
)
RESET_LINK_DEAD: Final = Refusal(
    "reset_link_dead",
    N_("This link has been used or is too old. Ask for a new one."),
    kind=Kind.CONFLICT,
)


def clean_email(raw: str) -> str:
    """``raw`` as it is stored and compared: without spaces around it, in lower case."""
    return raw.strip().lower()


def clean_line(raw: str) -> str:
    """``raw`` as one line: control characters and direction overrides out, spaces single.

    Databases refuse NUL, and an override would turn the text of a page around.
    """
    kept = (
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character
        for character in raw
        if character not in _DIRECTION_MARKS and unicodedata.category(character) != "Cs"
    )
    return " ".join("".join(kept).split())


def clean_text(raw: str) -> str:
    """``raw`` as a text of several lines; empty where nothing of it can be seen.

    As ``clean_line``, except that line ends (of any browser) and tabs stay.
    """
    lines = raw.replace("\r\n", "\n").replace("\r", "\n")
    kept = (
        "\n" if unicodedata.category(character) in ("Zl", "Zp") else character
        for character in lines
        if character in "\n\t"
        or (
            character not in _DIRECTION_MARKS
            and unicodedata.category(character) not in ("Cc", "Cs")
        )
    )
    text = "".join(kept).strip()
    return text if shows(text) else ""


def shows(text: str) -> bool:
    """Whether anything of ``text`` can be seen."""
    return any(unicodedata.category(character)[0] in "LNSP" for character in text)


def seen(text: str) -> str:
    """``text`` without the characters that have no width, and the spaces around what is left."""
    unseen = ("Cc", "Cf", "Cs")
    return "".join(one for one in text if unicodedata.category(one) not in unseen).strip()


def may_use_email(email: str) -> Refusal | None:
    """Whether ``email`` (cleaned) looks like an address that mail can be sent to."""
    local = email.partition("@")[0]
    if len(email) > EMAIL_MAX or len(local) > _EMAIL_LOCAL_MAX or not _EMAIL.fullmatch(email):
        return EMAIL_INVALID
    return None


def may_use_name(name: str) -> Refusal | None:
    """Whether ``name`` (cleaned) can be shown as a person's name: 1 to 80 characters."""
    if not shows(name):
        return Refusal(
            "name_missing",
            N_("Write the name that others should see."),
            kind=Kind.INVALID,
            field="display_name",
        )
    if len(name) > NAME_MAX:
        return Refusal(
            "name_too_long",
            N_("The name has %(length)s characters; at most %(most)s fit."),
            {"length": len(name), "most": NAME_MAX},
            Kind.INVALID,
            "display_name",
        )
    return None


def may_use_password(password: str, email: str) -> Refusal | None:
    """Whether ``password`` may protect the account of ``email``.

    Length counts, kinds of characters do not: people answer such demands with "Password1!".
    """
    if len(password) < PASSWORD_MIN:
        return _password(
            "password_too_short",
            N_("The password has %(length)s characters; it needs at least %(least)s."),
            length=len(password),
            least=PASSWORD_MIN,
        )
    if len(password) > PASSWORD_MAX:
        return _password(
            "password_too_long",
            N_("The password has %(length)s characters; it may have at most %(most)s."),
            length=len(password),
            most=PASSWORD_MAX,
        )
    folded = password.strip().lower()
    if folded in (email, email.partition("@")[0]):
        return _password("password_is_email", N_("The password must not be your e-mail address."))
    if folded in COMMON_PASSWORDS or len(set(folded)) <= 2:
        return _password(
            "password_too_common",
            N_("This password is among the first that anyone would guess. Choose another."),
        )
    return None


def _password(code: str, message: str, **figures: int) -> Refusal:
    return Refusal(code, message, figures, Kind.INVALID, "password")


def may_administer(*, is_admin: bool, active: bool) -> Refusal | None:
    """Whether someone may see and change other people's accounts."""
    if is_admin and active:
        return None
    return Refusal(
        "administrators_only", N_("Only an administrator may do this."), kind=Kind.FORBIDDEN
    )


def may_lose_administration(*, is_self: bool) -> Refusal | None:
    """Whether an administrator may take that role (or the account) away from someone.

    Not from oneself: so there is always one administrator left to undo a mistake.
    """
    if not is_self:
        return None
    return Refusal(
        "own_administration",
        N_(
            "You cannot take away your own administrator role or account. "
            "Ask another administrator to do it."
        ),
        kind=Kind.CONFLICT,
    )
