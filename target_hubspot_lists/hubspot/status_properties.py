"""Creates the contact properties that hold audience statuses, with the texts that people see in HubSpot."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from hubspot_singer.http import Conflict, InvalidRequest, Refused, UnexpectedAnswer, parsed
from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.hubspot.audience_names import property_description, property_label
from target_hubspot_lists.hubspot.batching import in_batches
from target_hubspot_lists.hubspot.list_objects import CONTACTS
from target_hubspot_lists.hubspot.properties import PropertyDefinition, parse_definitions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.properties import Properties

logger = logging.getLogger(__name__)

GROUP = "cohorts"
GROUP_LABEL = "Cohorts"
REALIZED = "realized"
EXITED = "exited"


class StatusProperties:
    """The portal's properties of audience statuses, all in one group."""

    def __init__(self, client: HubSpotClient, properties: Properties) -> None:
        self._client = client
        self._properties = properties

    def left(self) -> int | None:
        """Return how many custom contact properties the portal still takes; None if HubSpot does not say."""
        # https://developers.hubspot.com/docs/api-reference/2026-03/crm/limits-tracking/get-custom-properties
        try:
            return parsed(self._client.get(f"{self._client.base('crm/limits')}/custom-properties"), _left)
        except (Refused, UnexpectedAnswer) as problem:
            logger.warning("HubSpot does not say how many custom properties there may be: %s", problem)
            return None

    def mark(self, name: str, hubspot_list: HubSpotList) -> None:
        """Write the list's name and id into a property's description."""
        description = property_description(hubspot_list.name, hubspot_list.list_id)
        answer = self._client.patch(f"{self._properties.path}/{name}", {"description": description})
        self._properties.add([parsed(answer, PropertyDefinition.from_body)])

    def make(self, lists: Mapping[str, HubSpotList]) -> None:
        """Create a property for each list, by property name; one that another run creates meanwhile is used."""
        if not lists:
            return
        self._make_group()
        for batch in in_batches([_definition(name, hubspot_list) for name, hubspot_list in lists.items()]):
            self._create(batch)
        noun = "property" if len(lists) == 1 else "properties"
        logger.info('Made %d contact %s in group "%s".', len(lists), noun, GROUP)

    def _make_group(self) -> None:
        if any(True for _ in self._properties.in_group(GROUP)):
            return
        path = f"{self._properties.path}/groups"
        try:
            self._client.post(path, {"name": GROUP, "label": GROUP_LABEL})
        except (Conflict, InvalidRequest):
            self._client.get(f"{path}/{GROUP}")  # raises unless it is there, which is all that is wanted

    def _create(self, wanted: Sequence[dict[str, Any]]) -> None:
        absent = wanted
        while absent:
            refused = self._post(absent)
            remaining = [
                definition for definition in absent if self._properties.find(definition["name"]) is None
            ]
            if remaining:
                # Another run may have created some of them; then HubSpot created none of the batch.
                self._properties.read()
                remaining = [
                    definition
                    for definition in remaining
                    if self._properties.find(definition["name"]) is None
                ]
            if len(remaining) == len(absent):
                raise _not_created(remaining, refused)
            absent = remaining
        if others := [definition for definition in wanted if not self._is_as_wanted(definition)]:
            raise _not_created(others, None)

    def _post(self, wanted: Sequence[dict[str, Any]]) -> Refused | None:
        """Ask HubSpot to create properties, and note those that it created; return its refusal if it created none."""
        # https://developers.hubspot.com/docs/api-reference/2026-03/crm/properties/batch/create-properties
        try:
            answer = self._client.post(f"{self._properties.path}/batch/create", {"inputs": list(wanted)})
        except (Conflict, InvalidRequest) as refused:
            return refused
        self._properties.add(parsed(answer, lambda body: parse_definitions(body.get("results") or ())))
        return None

    def _is_as_wanted(self, wanted: Mapping[str, Any]) -> bool:
        definition = self._properties.find(wanted["name"])
        return definition is not None and (definition.group, definition.label) == (GROUP, wanted["label"])


def _left(body: Mapping[str, Any]) -> int | None:
    pairs: list[tuple[Any, Any]] = [(body.get("overallLimit"), body.get("overallUsage"))]
    pairs += [
        (each.get("limit"), each.get("usage"))
        for each in body.get("byObjectType") or ()
        if each.get("objectTypeId") == CONTACTS
    ]
    return min((int(limit) - int(used) for limit, used in pairs if None not in {limit, used}), default=None)


def _not_created(wanted: Sequence[dict[str, Any]], refused: Refused | None) -> TargetError:
    return TargetError(
        f"audience_status_property needs {len(wanted)} more contact properties, and HubSpot did not make "
        f'"{wanted[0]["name"]}": an archived property may hold the name, or the portal may take no more '
        "properties. Look at the properties of contacts in HubSpot, archived ones too."
        + (f" {refused}" if refused else "")
    )


def _definition(name: str, hubspot_list: HubSpotList) -> dict[str, Any]:
    return {
        "name": name,
        "label": property_label(hubspot_list.name),
        "groupName": GROUP,
        "type": "enumeration",
        "fieldType": "select",
        "description": property_description(hubspot_list.name, hubspot_list.list_id),
        "formField": False,
        "options": [
            {"label": value.capitalize(), "value": value, "hidden": False, "displayOrder": position}
            for position, value in enumerate((REALIZED, EXITED))
        ],
    }
