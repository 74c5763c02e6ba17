from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tap_hubspot_email_events.columns import COMMON
from tests.tap_hubspot_email_events.singer import STREAMS
from tests.tap_hubspot_email_events.test_columns import BY_NAME, EXPECTED_OF_ALL

UNION = Path(__file__).parents[2] / "examples" / "email_event_union.sql"


def test_the_union_view_shows_what_all_events_share_over_all_ten_tables() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        for number, stream in enumerate(STREAMS):
            names = ", ".join(f'"{column.name}"' for column in BY_NAME[stream].columns)
            database.execute(f"create table {stream} ({names})")
            database.execute(f"insert into {stream} (id) values ({number})")  # noqa: S608 - names of ours
        database.executescript(UNION.read_text())

        rows = database.execute("select * from email_event order by id")

        assert [column[0] for column in rows.description] == [column.name for column in COMMON]
        assert set(EXPECTED_OF_ALL) <= {column[0] for column in rows.description}
        assert [row[0] for row in rows] == list(range(len(STREAMS)))
