"""Logs advice, once for each stream, where its columns or records do not fit the settings; without personal data."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.input.columns import find_column, listed
from target_hubspot_lists.input.parsing import is_removal
from target_hubspot_lists.input.records import positive_integer
from target_hubspot_lists.outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_hubspot_lists.input.columns import Columns
    from target_hubspot_lists.input.records import Rejection
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)

# Columns in which other tools mark deleted rows, with the stream map that says the same here.
TOMBSTONES: Mapping[str, tuple[str, str]] = {
    # https://fivetran.com/docs/core-concepts/system-columns-and-tables
    "_fivetran_deleted": ("operation", "'remove' if {column} else 'add'"),
    # https://github.com/transferwise/pipelinewise-tap-postgres and its like
    "_sdc_lsn_deleted_at": ("_sdc_deleted_at", "{column}"),
    # https://docs.airbyte.com/understanding-airbyte/cdc
    "_ab_cdc_deleted_at": ("_sdc_deleted_at", "{column}"),
    # As text: https://debezium.io/documentation/reference/stable/transformations/event-flattening.html
    "__deleted": ("operation", "'remove' if str({column}).lower() == 'true' else 'add'"),
    # https://docs.hevodata.com/pipelines/pipeline-concepts/hevo-generated-metadata/
    "__hevo__marked_deleted": ("operation", "'remove' if {column} else 'add'"),
}


class Advice:
    """The advice on the streams of a run; each sentence is logged once for a stream."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._said: set[tuple[str, str]] = set()

    def of_schema(
        self, stream: str, names: Sequence[str], columns: Columns
    ) -> Callable[[Rejection, Mapping[str, Any]], None]:
        """Log advice on a stream's columns; return the function to call with each of its rejected records."""
        if not (columns.cohort or columns.cohort_id):
            self._say(
                stream,
                f'has no column "{self._settings.cohort_field or "cohort_name"}" and no "cohort_id", so all of its '
                f'records are about one cohort, "{shown(stream)}". Its columns are: {listed(names)}. If one of them '
                "names the cohort, name it in cohort_field.",
                logging.INFO,
            )
        if not columns.can_remove:
            self._name_tombstones(stream, names)

        def of_rejected(rejection: Rejection, record: Mapping[str, Any]) -> None:
            self._of_rejected(stream, columns, rejection, record)

        return of_rejected

    def of_undeclared(self, stream: str, column: str) -> None:
        """Log that records have a column which says who leaves, and which the stream's SCHEMA does not have."""
        self._say(
            stream,
            f'has records with a column "{column}" that its SCHEMA does not have: it is read all the same, since a '
            "record that removes must not add its member. Let the tap declare the column in its SCHEMA; or, if it says "
            f"nothing about members, take it out with stream_maps: {_stream_map(stream, column, '__NULL__')}.",
        )

    def _name_tombstones(self, stream: str, names: Sequence[str]) -> None:
        for known, (name, expression) in TOMBSTONES.items():
            if column := find_column(known, names, stream):
                self._say(
                    stream,
                    f'has a column "{column}", in which its source marks deleted rows, and which is not read: a '
                    "deleted row adds its member. Let it remove the member with "
                    f"stream_maps: {_stream_map(stream, name, expression.format(column=column))}.",
                )

    def _of_rejected(
        self, stream: str, columns: Columns, rejection: Rejection, record: Mapping[str, Any]
    ) -> None:
        member, match_by = rejection.member, self._settings.match_by
        if len(self._settings.identifiers) > 1:
            pass  # of several identifiers any may be what was meant
        elif rejection.reason is Reason.INVALID_MEMBER and match_by == "contact_id" and "@" in member:
            self._say(
                stream,
                f'has email addresses in column "{columns.member}", where match_by is contact_id: such records are '
                "rejected. Set match_by: email, and name the column in match_field.",
            )
        elif rejection.reason is Reason.INVALID_MEMBER and match_by == "email" and positive_integer(member):
            self._say(
                stream,
                f'has numbers in column "{columns.member}", where match_by is email: such records are rejected. If '
                "they are HubSpot's record ids, set match_by: contact_id, and name the column in match_field.",
            )
        blank = {
            Reason.MISSING_MEMBER: columns.member,
            Reason.MISSING_COHORT: columns.cohort or columns.cohort_id,
        }
        if (column := blank.get(rejection.reason)) and is_removal(record, columns):
            self._say(
                stream,
                f'has records that remove and have nothing in column "{column}", as a delete row that holds only its '
                "key: such records are rejected, and their members stay on the list. Let the source write whole rows "
                "for deletes (Postgres: ALTER TABLE … REPLICA IDENTITY FULL), or mark deleted rows in a column.",
            )

    def _say(self, stream: str, text: str, level: int = logging.WARNING) -> None:
        if (stream, text) not in self._said:
            self._said.add((stream, text))
            logger.log(level, 'Stream "%s" %s', shown(stream), text)


def _stream_map(stream: str, column: str, expression: str) -> str:
    """Return the setting that makes a column of a stream out of an expression; `__NULL__` takes the column out."""
    return json.dumps({stream: {column: expression}}, ensure_ascii=False)
