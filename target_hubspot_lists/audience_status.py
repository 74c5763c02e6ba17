"""Keeps one contact property for each list, made on first use; never takes another property for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from hubspot_http import Conflict, InvalidRequest, Refused
from target_hubspot_lists.audience_names import (
    distinct_name,
    marked_list_id,
    property_description,
    property_label,
    property_name,
)
from target_hubspot_lists.batches import in_batches
from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.lists import CONTACTS
from target_hubspot_lists.properties import PropertyDefinition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from hubspot_http import HubSpotClient
    from target_hubspot_lists.lists import HubSpotList, Lists
    from target_hubspot_lists.properties import Properties

logger = logging.getLogger(__name__)

GROUP = "cohorts"
GROUP_LABEL = "Cohorts"
REALIZED = "realized"
EXITED = "exited"
NAMES_SHOWN = 3  # of many properties, in an error


class AudienceStatus:
    """Which property holds each list's audience status."""

    def __init__(
        self,
        client: HubSpotClient,
        properties: Properties,
        lists: Lists,
        *,
        mapped: Collection[str],
        dry_run: bool,
    ) -> None:
        self._client = client
        self._properties = properties
        self._lists = lists
        self._mapped = mapped
        self._dry_run = dry_run
        self._names: dict[str, str] = {}  # by list name in any case, for a list to be made has no id yet
        self._to_make: dict[str, HubSpotList] = {}
        self._to_mark: dict[str, HubSpotList] = {}
        self.created: list[str] = []

    def name_for(self, hubspot_list: HubSpotList) -> str:
        """The property of a list that was checked."""
        return self._names[_key(hubspot_list)]

    def check(self, lists: Iterable[HubSpotList]) -> None:
        """Choose the properties of lists found or to be made; raise before any write if one cannot be used.

        The order of the lists does not matter: each keeps the property that is marked as its own, and of those
        that then want one name the first in the alphabet gets it.
        """
        new = sorted((each for each in lists if _key(each) not in self._names), key=_key)
        marked = {
            list_id: each.name
            for each in self._properties.in_group(GROUP)
            if (list_id := marked_list_id(each.description))
        }
        for each in new:
            if not each.is_foreseen and (name := marked.get(each.list_id)):
                self._use(each, name)
        for each in new:
            if _key(each) not in self._names:
                self._choose(each)
        self._check_limit()

    def make(self, lists: Iterable[HubSpotList]) -> None:
        """Make the properties that are absent, now that each list has its id."""
        by_key = {_key(each): each for each in lists}
        if by_key.keys() - self._names.keys():
            self.check(by_key.values())  # HubSpot gave a new list another name than was asked for
        to_make, to_mark = (
            {name: by_key[_key(each)] for name, each in planned.items() if _key(each) in by_key}
            for planned in (self._to_make, self._to_mark)
        )
        self._to_make, self._to_mark = {}, {}
        self.created += to_make
        if self._dry_run:
            return
        for name, each in to_mark.items():
            self._mark(name, each)
        if to_make:
            self._make_group()
            self._create([_definition(name, each) for name, each in to_make.items()])

    def _choose(self, hubspot_list: HubSpotList) -> None:
        plain = property_name(hubspot_list.name)
        for name in dict.fromkeys((plain, distinct_name(hubspot_list.name))):
            definition = self._properties.find(name)
            if definition is None and name not in self._names.values():
                self._to_make[name] = hubspot_list
            elif name in self._names.values() or not self._is_of(definition, hubspot_list):
                continue
            if name != plain:
                logger.warning(
                    'The audience status of %s is in the property "%s", since "%s" is another list\'s.',
                    hubspot_list,
                    name,
                    plain,
                )
            self._use(hubspot_list, name)
            return
        raise TargetError(
            f'The properties "{plain}" and "{distinct_name(hubspot_list.name)}" of group "{GROUP}" are both of '
            f"other lists than {hubspot_list}: delete the one that is not needed in HubSpot."
        )

    def _use(self, hubspot_list: HubSpotList, name: str) -> None:
        definition = self._properties.find(name)
        if definition is not None and not _holds_status(definition):
            raise TargetError(
                f'The property "{name}", which holds the audience status of {hubspot_list}, no longer takes '
                f'"{REALIZED}" and "{EXITED}": give it these options in HubSpot, or delete it there.'
            )
        if name in self._mapped:
            raise TargetError(
                f'property_mappings[] names the property "{name}", which holds the audience status of '
                f"{hubspot_list}: take the entry out, or set audience_status_property to false."
            )
        self._names[_key(hubspot_list)] = name

    def _is_of(self, definition: PropertyDefinition | None, hubspot_list: HubSpotList) -> bool:
        """Whether a property is this list's own, made for it or for a deleted list of its name."""
        if definition is None:
            return False
        if definition.group != GROUP:
            raise TargetError(
                f'audience_status_property needs the property "{definition.name}" for {hubspot_list}, but the '
                f'portal has another one of that name, in group "{definition.group}": choose another list name '
                "in lists[].list_name or list_name_prefix, or rename the list in HubSpot."
            )
        if definition.label.casefold() != property_label(hubspot_list.name).casefold():
            return False
        marked = marked_list_id(definition.description)
        if marked is not None and self._lists.find_by_id(marked) is not None:
            return False
        self._to_mark[definition.name] = hubspot_list
        return True

    def _check_limit(self) -> None:
        left = self._left() if self._to_make else None
        needed = len(self._to_make)
        if left is None or left >= needed:
            return
        names = ", ".join(f'"{name}"' for name in list(self._to_make)[:NAMES_SHOWN])
        raise TargetError(
            f"audience_status_property needs {needed} more custom contact properties ({names}"
            f"{' …' if needed > NAMES_SHOWN else ''}), but the portal takes only {left} more: archive properties "
            "that are not needed in HubSpot, send fewer cohorts, or set audience_status_property to false."
        )

    def _left(self) -> int | None:
        """How many custom contact properties the portal still takes; None where HubSpot does not say."""
        # https://developers.hubspot.com/docs/api-reference/2026-03/crm/limits-tracking/get-custom-properties
        try:
            body = self._client.get(f"{self._client.base('crm/limits')}/custom-properties").body
        except Refused as refused:
            logger.warning("HubSpot does not say how many custom properties there may be: %s", refused)
            return None
        pairs = [(body.get("overallLimit"), body.get("overallUsage"))]
        pairs += [
            (each.get("limit"), each.get("usage"))
            for each in body.get("byObjectType") or ()
            if each.get("objectTypeId") == CONTACTS
        ]
        return min((limit - used for limit, used in pairs if None not in {limit, used}), default=None)

    def _mark(self, name: str, hubspot_list: HubSpotList) -> None:
        description = property_description(hubspot_list.name, hubspot_list.list_id)
        answer = self._client.patch(f"{self._properties.path}/{name}", {"description": description})
        self._properties.add([PropertyDefinition.from_body(answer.body)])

    def _make_group(self) -> None:
        if any(True for _ in self._properties.in_group(GROUP)):
            return
        path = f"{self._properties.path}/groups"
        try:
            self._client.post(path, {"name": GROUP, "label": GROUP_LABEL})
        except (Conflict, InvalidRequest):
            self._client.get(f"{path}/{GROUP}")  # raises unless it is there, which is all that is wanted

    def _create(self, wanted: Sequence[dict[str, Any]]) -> None:
        """Make properties; those that somebody else made meanwhile are taken if they are these lists'."""
        # https://developers.hubspot.com/docs/api-reference/2026-03/crm/properties/batch/create-properties
        for batch in in_batches(wanted):
            refused: Refused | None = None
            try:
                answer = self._client.post(f"{self._properties.path}/batch/create", {"inputs": list(batch)})
                made = [PropertyDefinition.from_body(each) for each in answer.body.get("results") or ()]
                self._properties.add(made)
            except (Conflict, InvalidRequest) as error:
                refused = error
            if all(self._properties.find(each["name"]) for each in batch):
                continue
            self._properties.read()
            self._check_made(batch, refused)
        logger.info("Made %d contact properties in group %s.", len(wanted), GROUP)

    def _check_made(self, wanted: Sequence[dict[str, Any]], refused: Refused | None) -> None:
        for each in wanted:
            definition = self._properties.find(each["name"])
            if definition is None or (definition.group, definition.label) != (GROUP, each["label"]):
                raise TargetError(
                    f"audience_status_property needs {len(wanted)} new contact properties, and HubSpot did not "
                    f'make "{each["name"]}": an archived property may hold the name, or the portal may take no '
                    "more properties. Look at the properties of contacts in HubSpot, archived ones too."
                    + (f" {refused}" if refused else "")
                )


def _key(hubspot_list: HubSpotList) -> str:
    """One for each list of the portal: HubSpot ignores case in names."""
    return hubspot_list.name.casefold()


def _holds_status(definition: PropertyDefinition) -> bool:
    return not definition.takes_several and {REALIZED, EXITED} <= {each.value for each in definition.options}


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
