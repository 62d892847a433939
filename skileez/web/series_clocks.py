"""Keeping the time that clocks bring."""

from datetime import datetime

from flask.typing import ResponseReturnValue

from skileez.errors import Refused
from skileez.events import Actor
from skileez.sessions import dst
from skileez.sessions.series import Series
from skileez.web.access import PARTICIPANT, access
from skileez.web.forms import PressForm
from skileez.web.language import gettext as _
from skileez.web.series import found, other_of, perform, series, show_page, to_page


@series.post("/series/<int:series_id>/keep")
@access(PARTICIPANT)
def keep(series_id: int) -> ResponseReturnValue:
    """Say that the time suits; the other is told."""

    def verb(one: Series, role: str, who: Actor, now: datetime) -> None:
        dst.keep(one, by=role, actor=who, now=now)

    try:
        perform(series_id, PressForm(), verb)
    except Refused as refused:
        return show_page(series_id, refused)
    name = other_of(found(series_id)).display_name
    return to_page(series_id, _("You keep it. %(name)s is told.", name=name))
