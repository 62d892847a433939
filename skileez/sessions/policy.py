"""The policy in force: what the operator configured, or the product's defaults.

``create_app`` and the command line set it once at start; rules get it as an argument.
"""

from skileez.sessions.rules import Policy

_in_force = Policy()


def in_force() -> Policy:
    """The policy that verbs use unless they are handed another."""
    return _in_force


def use(policy: Policy) -> None:
    """Make ``policy`` the one in force in this process."""
    global _in_force
    _in_force = policy
