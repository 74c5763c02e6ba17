"""Writes what a run knows of contacts besides their memberships: mapped attributes and audience statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.hubspot.contacts import Contacts
from target_hubspot_lists.hubspot.properties import Properties
from target_hubspot_lists.hubspot.property_writer import PropertyWriter
from target_hubspot_lists.hubspot.status_properties import EXITED, REALIZED
from target_hubspot_lists.input.attributes import AttributeParser, HeldAttributes
from target_hubspot_lists.sync.audience_status import AudienceStatus
from target_hubspot_lists.sync.property_flush import PropertyFlush

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.hubspot.list_objects import HubSpotList, Route
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.hubspot.properties import PropertyDefinition
    from target_hubspot_lists.input.attributes import Attributes
    from target_hubspot_lists.input.records import Member
    from target_hubspot_lists.journal.property_memory import PropertyMemory
    from target_hubspot_lists.outcomes import PropertyProblem, PropertyResult
    from target_hubspot_lists.reporting.account import RequestedChange
    from target_hubspot_lists.settings import Settings
    from target_hubspot_lists.sync.property_flush import Flush


class PortalProperties(NamedTuple):
    """The portal's contact properties, and the definition of each mapped one, in the order of the setting."""

    known: Properties
    mapped: tuple[PropertyDefinition, ...] = ()
    matched: Sequence[str] = ()  # the unique ones by which contacts are looked up

    @classmethod
    def read(cls, client: HubSpotClient, settings: Settings) -> PortalProperties:
        """Read them, in one call, if the settings ask for any; raise if one cannot be written, or matched by."""
        known = Properties(client)
        matched = settings.match_properties
        if not (settings.property_mappings or settings.audience_status_property or matched):
            return cls(known)
        known.read()
        known.check_unique(matched)
        return cls(known, known.check(settings.property_mappings), matched)

    def describe(self) -> Iterator[str]:
        """Say by which properties contacts are looked up, for somebody who checks the settings."""
        for name in self.matched:
            yield f"Matched by the contact property {name}: it is there, and has unique values."


class ContactProperties:
    """The properties that a run writes: mapped attributes, audience statuses, or both."""

    is_wanted = True

    def __init__(
        self,
        client: HubSpotClient,
        settings: Settings,
        lists: Lists,
        *,
        of_portal: PortalProperties,
        memory: PropertyMemory,
    ) -> None:
        self.settings = settings
        self.memory = memory
        self.names = tuple(mapping.property for mapping in settings.property_mappings)
        self.fills = settings.property_policy == "fill_empty"
        workers = settings.connection.max_concurrency
        contacts = Contacts(client, workers=workers, create=False, dry_run=settings.dry_run)
        self.writer = PropertyWriter(client, contacts, workers=workers)
        self._definitions = of_portal.mapped
        self._held = HeldAttributes()
        self.status: AudienceStatus | None = None
        if settings.audience_status_property:
            self.status = AudienceStatus(
                client, of_portal.known, lists, mapped=self.names, dry_run=settings.dry_run
            )

    @property
    def created(self) -> Sequence[str]:
        """The properties that this run made, or in a dry run would have made."""
        return self.status.created if self.status else ()

    def parser(self, stream: str, columns: Sequence[str]) -> AttributeParser | None:
        """The parser of a stream's attributes; raise InputError if a mapped column is not in its schema."""
        if not self.names:
            return None
        return AttributeParser(stream, columns, self.settings, self._definitions)

    def hold(self, member: Member, position: int, attributes: Attributes | PropertyProblem) -> None:
        """Hold what a record says of a person until the next flush."""
        self._held.hold(member, position, attributes)

    def check_lists(self, lists: Iterable[HubSpotList]) -> None:
        """Raise, before anything is written, if a list's audience status has no place."""
        if self.status:
            self.status.check(lists)

    def begin(
        self, asked: Iterable[tuple[Route, Iterable[RequestedChange]]], lists: Mapping[str, HubSpotList]
    ) -> Flush:
        """Begin a flush of what was held: make the properties that its lists need."""
        self.make_for(lists.values())
        flush = self.flush(self._held.take())
        flush.expect(asked, lists)
        return flush

    def flush(self, held: HeldAttributes, created: Mapping[Member, PropertyResult] | None = None) -> Flush:
        """Begin a flush of these attributes; contacts that were `created` already have their properties."""
        return PropertyFlush(self, held, created)

    def make_for(self, lists: Iterable[HubSpotList]) -> None:
        """Make the properties that lists need."""
        if self.status:
            self.status.make(lists)

    def status_text(self, hubspot_list: HubSpotList, *, is_member: bool) -> Mapping[str, str]:
        """The audience status of one membership, as a property and its text."""
        if not self.status:
            return {}
        return {self.status.name_for(hubspot_list): REALIZED if is_member else EXITED}

    def statuses_by_member(
        self, asked: Iterable[tuple[Route, Iterable[RequestedChange]]], lists: Mapping[str, HubSpotList]
    ) -> Mapping[str, Mapping[str, str]]:
        """By address, for contacts that are created: the last word on each list, two routes may lead to one."""
        statuses: dict[str, dict[str, str]] = {}
        if self.status is None or not self.settings.may_create_contacts:
            return statuses
        members = [
            (each, lists[route.key]) for route, members in asked if route.key in lists for each in members
        ]
        for each, hubspot_list in sorted(members, key=lambda pair: pair[0].position):
            text = self.status_text(hubspot_list, is_member=each.is_member)
            statuses.setdefault(str(each.member), {}).update(text)
        return statuses
