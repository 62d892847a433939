"""What the watchers of a simulated half year raise."""


class Violation(AssertionError):
    """Something that must never happen has happened."""


def require(true: bool, sentence: str, **told: object) -> None:
    """Raise ``Violation`` with what is known, unless it is true."""
    if not true:
        raise Violation(f"{sentence}: {told}")
