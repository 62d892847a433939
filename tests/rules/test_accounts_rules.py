"""What an e-mail address, a name and a password must be like."""

from skileez.accounts import rules
from skileez.errors import Kind
from tests.rules.table import rows


@rows(
    "email",
    [
        "a@b.co",
        "coach@demo.example",
        "first.last+tag@sub.example.org",
        "o'neill@example.ie",
        f"{'x' * 64}@example.org",
    ],
)
def test_an_address_that_mail_can_be_sent_to_is_fine(email: str) -> None:
    assert rules.may_use_email(email) is None


@rows(
    "email",
    [
        "",
        "@",
        "nobody",
        "nobody@",
        "@example.org",
        "a@b",
        "a b@example.org",
        "a@exa mple.org",
        "a..b@example.org",
        ".a@example.org",
        "a@-example.org",
        "a@example.org\nbcc: all@example.org",
        "A@example.org",
        "ü@example.org",
        "a@b@example.org",
        f"{'x' * 65}@example.org",
        f"a@{'x' * 60}.{'y' * 60}.{'z' * 60}.{'w' * 60}.{'v' * 20}.org",
        "<script>@example.org",
    ],
)
def test_anything_else_is_not(email: str) -> None:
    refusal = rules.may_use_email(email)
    assert refusal is not None
    assert (refusal.code, refusal.kind, refusal.field) == ("email_invalid", Kind.INVALID, "email")


def test_an_address_is_compared_in_lower_case_without_spaces() -> None:
    assert rules.clean_email("  Ada@Example.ORG ") == "ada@example.org"


@rows(
    ("raw", "cleaned"),
    [
        ("  Ada   Lovelace ", "Ada Lovelace"),
        ("Ada\r\nBcc: x", "Ada Bcc: x"),
        ("Ada\0Lovelace", "Ada Lovelace"),
        ("Ada\u202egnol", "Adagnol"),
        ("Ada\ud800", "Ada"),
        ("李小龍", "李小龍"),
        ("<b>Ada</b>", "<b>Ada</b>"),
        ("👩\u200d🏫 Ada", "👩\u200d🏫 Ada"),
    ],
)
def test_a_line_is_cleaned_of_what_cannot_be_seen(raw: str, cleaned: str) -> None:
    assert rules.clean_line(raw) == cleaned


@rows("name", ["A", "Ada Lovelace", "X" * 80, "李", "👩‍🏫", "=SUM(A1)"])
def test_a_name_of_one_to_eighty_characters_is_fine(name: str) -> None:
    assert rules.may_use_name(name) is None


@rows(
    ("name", "code"),
    [("", "name_missing"), ("\u200b", "name_missing"), ("X" * 81, "name_too_long")],
)
def test_a_name_nobody_could_read_is_not(name: str, code: str) -> None:
    refusal = rules.may_use_name(name)
    assert refusal is not None
    assert (refusal.code, refusal.field) == (code, "display_name")


@rows(
    ("password", "code"),
    [
        ("", "password_too_short"),
        ("123456789", "password_too_short"),
        ("correct horse", None),
        ("x9" * 5, "password_too_common"),
        ("long enough", None),
        ("l" * 5 + "ong" * 65, None),
        ("p" * 201, "password_too_long"),
        ("ada.lovelace@example.org", "password_is_email"),
        ("ADA.Lovelace@example.org", "password_is_email"),
        ("ada.lovelace", "password_is_email"),
        ("Password123", "password_too_common"),
        ("1234567890", "password_too_common"),
        ("aaaaaaaaaaaaaaa", "password_too_common"),
        ("skileez-demo-2026", None),
    ],
)
def test_a_password_must_be_long_and_not_the_first_guess(password: str, code: str | None) -> None:
    refusal = rules.may_use_password(password, "ada.lovelace@example.org")
    assert (refusal and refusal.code) == code


def test_the_sentence_about_a_short_password_has_the_figures() -> None:
    refusal = rules.may_use_password("short", "a@b.co")
    assert refusal is not None
    assert refusal.sentence() == "The password has 5 characters; it needs at least 10."


@rows(
    ("is_admin", "active", "may"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_only_an_active_administrator_administers(is_admin: bool, active: bool, may: bool) -> None:
    assert (rules.may_administer(is_admin=is_admin, active=active) is None) is may


def test_an_administrator_cannot_take_their_own_role_away() -> None:
    refusal = rules.may_lose_administration(is_self=True)
    assert refusal is not None
    assert refusal.code == "own_administration"
    assert rules.may_lose_administration(is_self=False) is None


@rows(
    ("raw", "kept"),
    [
        (" one\r\ntwo\rthree\n\n\tfour ", "one\ntwo\nthree\n\n\tfour"),
        ("\x1b[31mred\x07\x08\x00", "[31mred"),
        ("a\u202eb\u202c \u2066c\ud800", "ab c"),
        ("one\u2028two\u2029three", "one\ntwo\nthree"),
        ("👩🏽\u200d🚀", "👩🏽\u200d🚀"),
        ("\u200b\n\u200b", ""),
    ],
)
def test_a_text_keeps_its_lines_and_loses_what_no_reader_may_meet(raw: str, kept: str) -> None:
    assert rules.clean_text(raw) == kept
