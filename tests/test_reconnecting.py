"""The database server was restarted: nobody notices who comes afterwards."""

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from skileez import db

if TYPE_CHECKING:
    from tests import postgres

END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ours'"


@pytest.mark.postgresql
def test_a_connection_that_the_server_ended_is_not_handed_out(
    postgresql_server: "postgres.Server",
) -> None:
    url = postgresql_server.url("postgres")
    ours = db.engine_for(url, connect_args={"application_name": "ours"})
    other = db.engine_for(url)
    try:
        with ours.connect() as connection:
            connection.execute(text("SELECT 1"))
        with other.connect() as connection:
            assert connection.scalars(text(END)).all() == [True]
        with ours.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
    finally:
        ours.dispose()
        other.dispose()
