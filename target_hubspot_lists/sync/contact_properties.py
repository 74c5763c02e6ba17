"""Contact properties that a run writes besides memberships: mapped attributes and audience statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.hubspot.contacts import Contacts
from target_hubspot_lists.hubspot.properties import Properties
from target_hubspot_lists.hubspot.property_writer import PropertyWriter
from target_hubspot_lists.input.attributes import AttributeParser, HeldAttributes
from target_hubspot_lists.sync.audience_status import AudienceStatus
from target_hubspot_lists.sync.property_flush import NO_FLUSH, PropertyFlush

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
        """Yield a sentence on each property by which contacts are looked up, for `--check`."""
        for name in self.matched:
            definition = self.known.find(name)
            is_told = definition is not None and definition.has_unique_values
            what = (
                ", and has unique values"
                if is_told
                else "; HubSpot does not say whether its values are unique"
            )
            yield f"Matched by the contact property {name}: it is there{what}."


class ContactProperties:
    """The properties of a run whose settings ask for mapped attributes, audience statuses, or both."""

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
        self._settings = settings
        self._memory = memory
        self._definitions = of_portal.mapped
        self._identity = of_portal.known.identity
        self.names = tuple(mapping.property for mapping in settings.property_mappings)
        workers = settings.connection.max_concurrency
        contacts = Contacts(client, workers=workers, create=False, dry_run=settings.dry_run)
        self._writer = PropertyWriter(client, contacts, workers=workers)
        self._held = HeldAttributes()
        self._status: AudienceStatus | None = None
        if settings.audience_status_property:
            self._status = AudienceStatus(
                client, of_portal.known, lists, mapped=self.names, dry_run=settings.dry_run
            )

    @property
    def created(self) -> Sequence[str]:
        """The properties that this run created, or in a dry run would have created."""
        return self._status.created if self._status else ()

    def parser(self, stream: str, columns: Sequence[str]) -> AttributeParser | None:
        """Return the parser of a stream's attributes; InputError if a mapped column is not in its schema."""
        if not self.names:
            return None
        return AttributeParser(stream, columns, self._settings, self._definitions)

    def hold(self, member: Member, position: int, attributes: Attributes | PropertyProblem) -> None:
        """Hold the attributes of a record until the next flush."""
        self._held.hold(member, position, attributes)

    def check_lists(self, lists: Iterable[HubSpotList]) -> None:
        """Raise, before anything is written, if the audience status of a list has no property to be in."""
        if self._status:
            self._status.check(lists)

    def create_for(self, lists: Iterable[HubSpotList]) -> None:
        """Create the properties that lists need."""
        if self._status:
            self._status.create(lists)

    def begin(
        self, asked: Iterable[tuple[Route, Iterable[RequestedChange]]], lists: Mapping[str, HubSpotList]
    ) -> Flush:
        """Begin a flush of what was held: create the properties that its lists need."""
        self.create_for(lists.values())
        flush = self.flush(self._held.take())
        flush.expect(asked, lists)
        return flush

    def flush(self, held: HeldAttributes, created: Mapping[Member, PropertyResult] | None = None) -> Flush:
        """Begin a flush of these attributes; contacts that were `created` already have their properties."""
        return PropertyFlush(
            self._settings,
            self._writer,
            self._memory,
            identity=self._identity,
            status=self._status,
            held=held,
            created=created,
        )


class NoProperties:
    """The properties of a run whose settings ask for none."""

    is_wanted = False
    names: tuple[str, ...] = ()
    created: Sequence[str] = ()

    def parser(self, stream: str, columns: Sequence[str]) -> None:
        """Return None: no field is mapped."""

    def hold(self, member: Member, position: int, attributes: Attributes | PropertyProblem) -> None:
        """Do nothing."""

    def check_lists(self, lists: Iterable[HubSpotList]) -> None:
        """Do nothing."""

    def create_for(self, lists: Iterable[HubSpotList]) -> None:
        """Do nothing."""

    def begin(
        self, asked: Iterable[tuple[Route, Iterable[RequestedChange]]], lists: Mapping[str, HubSpotList]
    ) -> Flush:
        """Return a flush that writes nothing."""
        del asked, lists
        return NO_FLUSH

    def flush(self, held: HeldAttributes, created: Mapping[Member, PropertyResult] | None = None) -> Flush:
        """Return a flush that writes nothing."""
        del held, created
        return NO_FLUSH
