"""A portal with contacts and lists, the input of a run, and what must be true of the portal after the run."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tests.clocks import FakeClock
from tests.factories import record_message, schema_message, state_message
from tests.hubspot_emulator import ALL_SCOPES, HubSpotEmulator, Portal
from tests.new_ledgers import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import TracebackType

    from tests.hubspot_emulator import Contact
    from tests.random_faults.variants import Variant

NEW, OLD, OTHER = "c_New", "c_Old", "c_Other"
DAYS_BEFORE = 8  # days since the earlier run: more than a ledger trusts the record id of an address
SECONDS_PER_DAY = 86_400
STATE = "rows"


@dataclass(frozen=True)
class Row:
    """One record of the input: a member joins or leaves a cohort."""

    cohort: str
    person: str
    is_member: bool = True


# Members by name; the input has an address or a record id of each.
KNOWN, SECONDARY, LEAVER, STAYER, MERGED, FIRST_NEW, SECOND_NEW = (
    "ada",
    "bob",
    "cyd",
    "dan",
    "eve",
    "flo",
    "gus",
)
PEOPLE = (KNOWN, SECONDARY, LEAVER, STAYER, MERGED, FIRST_NEW, SECOND_NEW)
CHANGES = (
    Row("New", KNOWN),
    Row("New", SECONDARY),
    Row("Old", LEAVER, is_member=False),
    Row("New", FIRST_NEW),
    Row("Old", MERGED),
    Row("Old", SECOND_NEW),
    Row("Old", KNOWN),
    Row("Old", STAYER),
)
SNAPSHOT = (
    Row("New", KNOWN),
    Row("New", SECONDARY),
    Row("New", FIRST_NEW),
    Row("Old", SECONDARY),
    Row("Old", MERGED),
    Row("Old", SECOND_NEW),
    Row("Old", KNOWN),
    Row("Old", STAYER),
)
LATER = "hal"  # of whom HubSpot knows nothing in the earlier run, if an add is kept
EARLIER_CHANGES = (Row("Old", STAYER), Row("New", KNOWN), Row("Old", LEAVER))
EARLIER_SNAPSHOT = (Row("Old", STAYER), Row("New", KNOWN), Row("Old", LEAVER), Row("Old", SECONDARY))
MEMBERS = {NEW: {KNOWN, SECONDARY, FIRST_NEW}, OLD: {SECONDARY, STAYER, MERGED, SECOND_NEW, KNOWN}}


def number_of(person: str) -> str:
    """Return the customer number of a person."""
    return f"number-{person}"


class World:
    """One portal and its emulator; it ends with its `with` block."""

    def __init__(self, variant: Variant, ledger_url: str | None) -> None:
        self.variant = variant
        self.clock = FakeClock()
        self.portal = portal = Portal(clock=self.clock.time)
        self.hubspot = HubSpotEmulator(portal, tokens={f"pat-na1-{secrets.token_hex(12)}": ALL_SCOPES})
        self.ledger_url = ledger_url
        portal.add_property("customer_id", unique=True)
        self.record_ids = {
            name: portal.add_contact(f"{name}@example.com", **self._numbered(name))
            for name in (KNOWN, LEAVER, STAYER)
        }
        self.record_ids[SECONDARY] = portal.add_contact(
            "bob@example.com", additional_emails=["bobby@example.com"], **self._numbered(SECONDARY)
        )
        self.record_ids[MERGED] = portal.add_contact("eve@example.com", **self._numbered(MERGED))
        portal.merge("eve@example.com", portal.add_contact("evelyn@example.com"))
        if not variant.creates:
            self.record_ids |= {
                FIRST_NEW: portal.add_contact("flo@example.com", **self._numbered(FIRST_NEW)),
                SECOND_NEW: portal.add_contact(**self._numbered(SECOND_NEW)),  # has no address
            }
        portal.add_list(OLD, members=[self.record_ids[name] for name in (SECONDARY, LEAVER, STAYER)])
        portal.add_list(OTHER, members=[self.record_ids[name] for name in (KNOWN, LEAVER)])
        portal.add_property("plan")
        self._contacts = len(portal.contacts)

    def _numbered(self, person: str) -> dict[str, str]:
        """Return the customer number that HubSpot has of somebody; with fallbacks some are known by address alone."""
        if not self.variant.has_numbers or (self.variant.creates and person not in {KNOWN, LEAVER}):
            return {}
        return {"customer_id": number_of(person)}

    def __enter__(self) -> Self:
        self.hubspot.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hubspot.__exit__(kind, error, trace)

    # What a run gets

    @property
    def config(self) -> dict[str, Any]:
        """The settings of a run."""
        app = self.hubspot.oauth
        oauth = {
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "refresh_token": app.refresh_token,
        }
        credential = oauth if self.variant.credential == "oauth" else {"access_token": self.hubspot.token}
        ledger = {} if self.ledger_url is None else {"ledger_url": self.ledger_url}
        return self.variant.settings() | {"api_url": self.hubspot.url} | credential | ledger | self._lists

    @property
    def _lists(self) -> dict[str, Any]:
        if self.variant.lists == "by-name":
            return {}
        return {"lists": [{"cohort": "Old", "legacy_list_id": self.portal.hubspot_list(OLD).legacy_id}]}

    @property
    def rows(self) -> tuple[Row, ...]:
        return SNAPSHOT if self.variant.is_mirror else CHANGES

    def messages(self) -> Iterator[str]:
        """Return the input of the run: behind each record a STATE with the number of records so far."""
        return self._messages(self.rows)

    def earlier_messages(self) -> Iterator[str]:
        """Return the input of a run that came eight days before."""
        rows = EARLIER_SNAPSHOT if self.variant.is_mirror else EARLIER_CHANGES
        return self._messages((*rows, Row("New", LATER)) if self.variant.has_kept_add else rows)

    @property
    def earlier_config(self) -> dict[str, Any]:
        """The settings of the run that came before."""
        return self.config | ({"create_contacts": False} if self.variant.has_kept_add else {})

    def days_pass(self) -> None:
        self.clock.sleep(DAYS_BEFORE * SECONDS_PER_DAY)
        if self.variant.has_kept_add:
            self.record_ids[LATER] = self.portal.add_contact(f"{LATER}@example.com")
        self._contacts = len(self.portal.contacts)

    def _messages(self, rows: tuple[Row, ...]) -> Iterator[str]:
        proof = "cohort_size" if self.variant.is_mirror else "operation"
        yield schema_message(*self._member(KNOWN), "cohort_name", "plan", proof)
        for number, row in enumerate(rows, start=1):
            record: dict[str, Any] = {
                **self._member(row.person),
                "cohort_name": row.cohort,
                "plan": "pro",
            }
            if self.variant.is_mirror:
                record["cohort_size"] = sum(each.cohort == row.cohort for each in rows)
            else:
                record["operation"] = "add" if row.is_member else "remove"
            yield record_message(**record)
            yield state_message({STATE: number})

    def _member(self, person: str) -> dict[str, str | None]:
        """Return what the columns of a member hold; who stays has a blank number."""
        if self.variant.match_by == "contact_id":
            return {"contact_id": self.record_ids[person]}
        others = {SECONDARY: "Bobby@example.com ", MERGED: "evelyn@example.com"}
        email = {"email": others.get(person, f"{person}@example.com")}
        number = None if self.variant.creates and person == STAYER else number_of(person)
        columns: dict[str, dict[str, str | None]] = {
            "email": {**email},
            "property": {"customer_id": number},
            "fallbacks": {"customer_id": number, **email},
        }
        return columns[self.variant.match_by]

    # What must be true of the portal

    def covers(self, state: Any, excused: Collection[str] = ()) -> bool:
        """Tell whether HubSpot has everything that a STATE covers; members who are excused may be rejected."""
        if self.variant.is_mirror:
            return not self._faults_of_the_lists(excused)
        rows = self.rows[: state[STATE]]
        return all(row.person in excused or self._is_applied(row) for row in rows)

    def problems(self, excused: Collection[str] = (), *, without_properties: bool = False) -> list[str]:
        """Return how the portal differs from what the input asks; members who are excused may be rejected."""
        new = {FIRST_NEW, SECOND_NEW} & set(excused)
        found = [*self._faults_of_the_lists(excused), *self._faults_of_the_contacts(len(new))]
        return found if without_properties else found + self._faults_of_the_properties(excused)

    def _faults_of_the_lists(self, excused: Collection[str]) -> list[str]:
        wanted = MEMBERS | {OTHER: {KNOWN, LEAVER}}
        found = (
            [f"the lists are {sorted(self.portal.list_names())}"]
            if self.portal.list_names() != set(wanted)
            else []
        )
        for name, of_list in wanted.items():
            people = of_list | ({LATER} if name == NEW and self.variant.has_kept_add else set())
            members = self.people_on(name) if name in self.portal.list_names() else set()
            more, fewer = sorted(members - people - set(excused)), sorted(people - members - set(excused))
            if more or fewer:
                found.append(f"{name} has {more} too many and lacks {fewer}")
        return found

    def people_on(self, name: str) -> set[str]:
        """Return the names of a list's members; the record id of a member without a name."""
        names = {
            contact.record_id: person
            for person in (*self.record_ids, FIRST_NEW, SECOND_NEW)
            if (contact := self.contact(person)) is not None
        }
        return {names.get(record_id, record_id) for record_id in self.portal.members(name)}

    def contact(self, person: str) -> Contact | None:
        found = self.portal.find_contact(self.record_ids[person]) if person in self.record_ids else None
        return found or self.portal.find_contact(f"{person}@example.com")

    def _is_applied(self, row: Row) -> bool:
        name = f"c_{row.cohort}"
        members = self.people_on(name) if name in self.portal.list_names() else set()
        return (row.person in members) == row.is_member

    def _faults_of_the_contacts(self, excused: int) -> list[str]:
        made = len(self.portal.contacts) - self._contacts
        wanted = 2 if self.variant.creates else 0
        return [] if wanted - excused <= made <= wanted else [f"{made} contacts were made, not {wanted}"]

    def _faults_of_the_properties(self, excused: Collection[str]) -> list[str]:
        found = []
        if self.variant.extra == "properties":
            people = {row.person for row in self.rows} - set(excused)
            lacking = {each for each in people if self._value(each, "plan") != "pro"}
            found += [f"plan is not written for {sorted(lacking)}"] if lacking else []
        if self.variant.extra == "status":
            rows = (*self.rows, Row("Old", LEAVER, is_member=False))
            wrong = {
                f"{row.person} in {row.cohort}"
                for row in rows
                if row.person not in excused
                and self._value(row.person, f"c_{row.cohort.lower()}")
                != ("realized" if row.is_member else "exited")
            }
            found += [f"the status is wrong of {sorted(wrong)}"] if wrong else []
        return found

    def _value(self, person: str, name: str) -> str | None:
        contact = self.contact(person)
        return None if contact is None else contact.properties.get(name)

    @property
    def secrets(self) -> set[str]:
        """The tokens, secrets, addresses and customer numbers that no output may hold."""
        app = self.hubspot.oauth
        tokens = {self.hubspot.token, app.client_secret, app.refresh_token, *app.grants}
        addresses = {
            address
            for contact in self.portal.contacts
            for address in (contact.email, *contact.additional_emails)
        }
        return (
            tokens
            | {each for each in addresses if each}
            | {"flo@example.com", "gus@example.com", PASSWORD}
            | set(map(number_of, PEOPLE))
        )
