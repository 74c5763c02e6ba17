"""Chooses for each list the contact property that holds its audience status; never one of another list."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_hubspot_lists.errors import TargetError
from target_hubspot_lists.hubspot.audience_names import (
    distinct_name,
    marked_list_id,
    property_label,
    property_name,
)
from target_hubspot_lists.hubspot.status_properties import EXITED, GROUP, REALIZED, StatusProperties

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.hubspot.properties import Properties, PropertyDefinition

logger = logging.getLogger(__name__)

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
        self._properties = properties
        self._status_properties = StatusProperties(client, properties)
        self._lists = lists
        self._mapped = mapped
        self._dry_run = dry_run
        # By the key of a list, which is its name: a list to be created has no id yet.
        self._names: dict[str, str] = {}
        # By property name: the lists whose properties are to be created, and to be marked as theirs.
        self._to_create: dict[str, HubSpotList] = {}
        self._to_mark: dict[str, HubSpotList] = {}
        self.created: list[str] = []

    def name_for(self, hubspot_list: HubSpotList) -> str:
        """Return the property of a list that was checked."""
        return self._names[_key(hubspot_list)]

    def text(self, hubspot_list: HubSpotList, *, is_member: bool) -> Mapping[str, str]:
        """Return the audience status of one membership, as a property and its text.

        Nothing for a list that is not there and that no flush creates: it has no property either.
        """
        if hubspot_list.is_to_be_created and _key(hubspot_list) not in self._names:
            return {}
        return {self.name_for(hubspot_list): REALIZED if is_member else EXITED}

    def check(self, lists: Iterable[HubSpotList]) -> None:
        """Choose the properties of lists found or to be created; raise before any write if one cannot be used.

        The order of the lists does not matter: each keeps the property that is marked as its own, and of those
        that then want one name the first in the alphabet gets it.
        """
        new = sorted((each for each in lists if _key(each) not in self._names), key=_key)
        if not new:
            return
        marked = self._marked()
        for hubspot_list in new:
            if not hubspot_list.is_to_be_created and (name := marked.get(hubspot_list.list_id)):
                self._use(hubspot_list, name)
        for hubspot_list in new:
            if _key(hubspot_list) not in self._names:
                self._choose(hubspot_list)
        self._check_limit()

    def create(self, lists: Iterable[HubSpotList]) -> None:
        """Create the properties of these lists that are absent, now that each list has its id.

        The lists may be some of those that were checked; the properties of the others are created in their turn.
        """
        by_key = {_key(each): each for each in lists}
        self._choose_again(by_key)
        self._keep_marked(by_key)
        to_create, to_mark = _taken_out(self._to_create, by_key), _taken_out(self._to_mark, by_key)
        self.created += to_create
        if self._dry_run:
            return
        for name, hubspot_list in to_mark.items():
            self._status_properties.mark(name, hubspot_list)
        self._status_properties.make(to_create)

    def _choose_again(self, by_key: Mapping[str, HubSpotList]) -> None:
        """Choose again for a list to which HubSpot gave another name than was asked for."""
        unknown = {property_name(each.name) for key, each in by_key.items() if key not in self._names}
        for name, planned in list(self._to_create.items()):
            # The plan under the name that was asked for would keep the property's name from it.
            if _key(planned) not in by_key and property_name(planned.name) in unknown:
                del self._names[_key(self._to_create.pop(name))]
        if unknown:
            self.check(by_key.values())

    def _keep_marked(self, by_key: Mapping[str, HubSpotList]) -> None:
        """Keep the property that a list has already, and do not create the one that was planned."""
        due = {name: by_key[_key(each)] for name, each in self._to_create.items() if _key(each) in by_key}
        marked = self._marked() if due else {}
        for name, found in due.items():
            if found.list_id in marked:
                del self._to_create[name]
                self._use(found, marked[found.list_id])

    def _marked(self) -> dict[str, str]:
        """Return by list id the properties that are marked as a list's own."""
        return {
            list_id: definition.name
            for definition in self._properties.in_group(GROUP)
            if (list_id := marked_list_id(definition.description))
        }

    def _choose(self, hubspot_list: HubSpotList) -> None:
        """Choose an existing property of the list's own, else a name that is free."""
        plain = property_name(hubspot_list.name)
        for name in dict.fromkeys((plain, distinct_name(hubspot_list.name))):
            if name in self._names.values():
                continue
            definition = self._properties.find(name)
            if definition is None:
                self._to_create[name] = hubspot_list
            elif not self._is_of(definition, hubspot_list):
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
        """Use a property for a list; raise if it does not take the statuses, or is mapped from a field."""
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

    def _is_of(self, definition: PropertyDefinition, hubspot_list: HubSpotList) -> bool:
        """Return whether a property is this list's own, created for it or for a deleted list of its name."""
        if definition.group != GROUP:
            raise TargetError(
                f'audience_status_property needs the property "{definition.name}" for {hubspot_list}, but the '
                f'portal has another one of that name, in group "{definition.group}": choose another list name '
                "in lists[].list_name or list_name_prefix, or rename the list in HubSpot."
            )
        if definition.label.lower() != property_label(hubspot_list.name).lower():
            return False
        marked = marked_list_id(definition.description)
        if marked is not None and self._lists.find_by_id(marked) is not None:
            return False
        self._to_mark[definition.name] = hubspot_list
        return True

    def _check_limit(self) -> None:
        """Raise if the portal does not take as many more properties as are to be created."""
        left = self._status_properties.left() if self._to_create else None
        needed = len(self._to_create)
        if left is None or left >= needed:
            return
        names = ", ".join(f'"{name}"' for name in list(self._to_create)[:NAMES_SHOWN])
        raise TargetError(
            f"audience_status_property needs {needed} more custom contact properties ({names}"
            f"{' …' if needed > NAMES_SHOWN else ''}), but the portal takes only {left} more: archive properties "
            "that are not needed in HubSpot, send fewer cohorts, or set audience_status_property to false."
        )


def _key(hubspot_list: HubSpotList) -> str:
    """Return the key of a list: HubSpot ignores case in names, but "Straße" and "Strasse" may be two lists."""
    return hubspot_list.name.lower()


def _taken_out(planned: dict[str, HubSpotList], by_key: Mapping[str, HubSpotList]) -> dict[str, HubSpotList]:
    """Remove the planned properties of these lists from those planned; return each with its list as it is now."""
    names = [name for name, each in planned.items() if _key(each) in by_key]
    return {name: by_key[_key(planned.pop(name))] for name in names}


def _holds_status(definition: PropertyDefinition) -> bool:
    return not definition.takes_several and {REALIZED, EXITED} <= {each.value for each in definition.options}
