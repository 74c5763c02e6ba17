"""One stream's records become memberships, or rejections, one by one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from singer_sdk.sinks import Sink

from target_hubspot_lists.errors import InputError
from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.input.records import NUL, Columns, Membership, MembershipParser

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.sinks.core import BaseJSONSchemaValidator

    from target_hubspot_lists.target import TargetHubSpotLists


class MembershipSink(Sink):
    """Parses the records of one stream, and hands them to the run's delivery."""

    def __init__(
        self,
        target: TargetHubSpotLists,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        super().__init__(target, stream_name, schema, key_properties)
        if NUL in stream_name:
            raise InputError(
                f'The name of stream "{shown(stream_name)}" holds a NUL character (U+0000): give it another name with '
                "__alias__ in stream_maps."
            )
        names = list(schema["properties"])
        columns = Columns.find(stream_name, names, target.settings)
        self._parser = MembershipParser(stream_name, columns, target.settings.match_by)
        self._delivery = target.delivery
        self.stream_cohort = self._parser.stream_cohort
        self._attributes = target.delivery.properties.parser(stream_name, names)
        self._delivery.add_stream(stream_name, can_remove=columns.can_remove)

    @override
    def get_validator(self) -> BaseJSONSchemaValidator | None:
        """None: a record that does not fit its schema is judged by its columns, and costs itself only."""
        return None

    @override
    def _remove_sdc_metadata_from_schema(self) -> None:
        """Keep `_sdc_deleted_at`: a soft-deleted row is a member who left."""

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        parsed = self._parser.parse(record)
        if not isinstance(parsed, Membership):
            self._delivery.reject(self.stream_name, parsed, version=context.get("version"))
            return
        attributes = self._attributes.parse(record, is_member=parsed.is_member) if self._attributes else None
        self._delivery.take(self.stream_name, parsed, attributes, version=context.get("version"))

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        self._delivery.flush()
