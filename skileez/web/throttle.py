"""How often one address, or one account, may fail before it has to wait."""

from collections.abc import Callable, Collection
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final, cast

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter
from limits.errors import ConfigurationError

from skileez.accounts.rules import EMAIL_MAX, clean_email
from skileez.config import ConfigError, Settings
from skileez.web.access import View

DEMO_LENIENCY: Final = 100
"""In the demo everyone comes from one address, and tests come fast."""


def address() -> str:
    """Where the request comes from; a whole IPv6 network, since one household has 2^64."""
    try:
        remote = ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(remote, IPv6Address):
        return str(ip_network((remote, 64), strict=False))
    return str(remote)


def account() -> str:
    """The account that is tried, whether there is one or not."""
    # Cut where no address goes on, so that nobody fills the store with long ones.
    return f"account:{clean_email(request.form.get('email', ''))[:EMAIL_MAX]}"


class _PostLimiter(Limiter):
    """Only POSTs are limited, so no other request is looked at."""

    def _check_request_limit(self, *args: Any, **kwargs: Any) -> None:
        if request.method == "POST":
            super()._check_request_limit(*args, **kwargs)


limiter = _PostLimiter(key_func=address, swallow_errors=True, in_memory_fallback_enabled=True)


def init_app(app: Flask, settings: Settings) -> None:
    """Count in the store of ``RATELIMIT_STORAGE_URI``; in memory while that is down.

    Raises ConfigError for a store that cannot be used.
    """
    app.config["RATELIMIT_STORAGE_URI"] = settings.ratelimit_storage_uri
    try:
        limiter.init_app(app)
    except ConfigurationError as error:
        raise ConfigError("RATELIMIT_STORAGE_URI", str(error)) from error


def failures(
    setting: str,
    per: str,
    key: Callable[[], str] = address,
    *,
    codes: Collection[int] = (422,),
) -> Callable[[View], View]:
    """Limit the refused POSTs of a view, answered with one of ``codes``, to ``setting`` per
    ``per``, for each ``key``.
    """

    def was_refused(response: Response) -> bool:
        return response.status_code in codes

    limit = limiter.limit(
        _allowed(setting, per), key_func=key, methods=["POST"], deduct_when=was_refused
    )
    return cast(Callable[[View], View], limit)


def posts(setting: str, per: str, key: Callable[[], str] = address) -> Callable[[View], View]:
    """Limit all POSTs of a view to ``setting`` per ``per``, for each ``key``."""
    limit = limiter.limit(_allowed(setting, per), key_func=key, methods=["POST"])
    return cast(Callable[[View], View], limit)


def _allowed(setting: str, per: str) -> Callable[[], str]:
    def allowed() -> str:
        settings: Settings = current_app.config["SKILEEZ"]
        factor = DEMO_LENIENCY if settings.skileez_demo else 1
        return f"{getattr(settings, setting) * factor} per {per}"

    return allowed
