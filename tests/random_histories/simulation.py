"""A portal and a data source while a history happens to them, with the expectations beside them."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from tests.clocks import FakeClock
from tests.hubspot_emulator import HubSpotEmulator, Portal
from tests.in_process import run
from tests.random_histories import naming
from tests.random_histories.expectations import Expectations, Wrong
from tests.random_histories.mailability import OPTED_OUT, problem_of_report, properties_of
from tests.random_histories.model import Members
from tests.random_histories.source import COHORTS, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from hubspot_singer.http import Clock
    from tests.hubspot_emulator import Contact
    from tests.in_process import Ended
    from tests.random_histories.variants import Variant

PEOPLE = 5
KNOWN_PEOPLE = 3  # of whom HubSpot has contacts before the first run, if members are told by address
BYSTANDERS = "Bystanders"
SECONDS_PER_DAY = 86_400
CACHE_DAYS = 8  # longer than a ledger trusts the record id of an address
SETTLED = 60.0  # seconds after which HubSpot's reads show everything


class Simulation:
    """One portal, its emulator and one source; it ends with its `with` block."""

    def __init__(
        self,
        variant: Variant,
        ledger_url: str | None,
        *,
        people: int = PEOPLE,
        known: int = KNOWN_PEOPLE,
        clock: Clock | None = None,
    ) -> None:
        self.variant = variant
        self._people, self._known_people = people, known
        self.ledger_url = ledger_url
        self.clock = clock or FakeClock()
        self.portal = portal = Portal(clock=self.clock.time)
        self.hubspot = HubSpotEmulator(portal)
        self._numbers = itertools.count()
        self._report: Path | None = None
        self._folder = ExitStack()
        self.source = Source(variant, self._first_people())
        self.expected = Expectations(variant, portal, self.source, BYSTANDERS)
        if variant.was_there:
            stranger = portal.add_contact(self.new_address())
            first = naming.find(portal, self.source.identifiers[0])
            members = [first.record_id if first else stranger, stranger]
            made = portal.add_list(self.expected.list_name(COHORTS[0]), members=members)
            self.expected.members[made.list_id] = Members(set(made.members))
        portal.quirks.contact_lag = portal.quirks.new_contact_lag = variant.lag
        portal.quirks.membership_lag_seconds = variant.lag

    def __enter__(self) -> Self:
        if self.variant.asks_mailability:
            self._report = Path(self._folder.enter_context(TemporaryDirectory())) / "report.jsonl"
        self.hubspot.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hubspot.__exit__(kind, error, trace)
        self._folder.close()

    def _first_people(self) -> Iterator[str]:
        ids = []
        self.portal.add_property("customer_id", unique=True)
        for number in range(self._known_people if self.variant.by_email else self._people):
            also = ["alias@example.com"] if number == 0 else []
            # With fallbacks one of them is known by address alone.
            has_number = self.variant.match_by == "property" or number != 1
            properties = {"customer_id": naming.number(number)} if has_number else {}
            if self.variant.asks_mailability:
                properties |= properties_of(number)
            address = f"p{number}@example.com"
            ids.append(self.portal.add_contact(address, additional_emails=also, **properties))
        self.portal.add_list(BYSTANDERS, members=ids[:2])
        everybody = range(self._people)
        if self.variant.match_by == "property":
            yield from map(naming.number, everybody)
        elif self.variant.match_by == "fallbacks":
            yield from (naming.several(naming.number(each), f"p{each}@example.com") for each in everybody)
            yield naming.several("", "alias@example.com")
        elif self.variant.by_email:
            yield from (f"p{each}@example.com" for each in everybody)
            yield "alias@example.com"
        else:
            yield from ids

    @property
    def config(self) -> dict[str, Any]:
        """The settings of a run."""
        ledger = {} if self.ledger_url is None else {"ledger_url": self.ledger_url}
        where = {"api_url": self.hubspot.url, "access_token": self.hubspot.token}
        report = {} if self._report is None else {"report_path": str(self._report), "report_members": "all"}
        return self.variant.settings() | where | ledger | report

    def check_mailability(self) -> None:
        """Raise `Wrong` if the report of the last run says wrong who cannot be mailed."""
        if self._report and (problem := problem_of_report(self._report, self.portal)):
            raise Wrong(problem)

    def run(self, messages: Iterable[str], config: dict[str, Any], **options: Any) -> Ended:
        """Run the target in this process, on the simulated clock."""
        return run(messages, config, self.clock, **options)

    def check_output(self, ended: Ended) -> None:
        """Raise `Wrong` if a run crashed, or if its output holds an address or the token."""
        if ended.crash:
            raise Wrong(ended.crash)
        addresses = (
            address
            for contact in self.portal.contacts
            for address in (contact.email, *contact.additional_emails)
            if address
        )
        if told := {each for each in (*addresses, self.hubspot.token, naming.NUMBER) if each in ended.output}:
            raise Wrong(f"the output holds {len(told)} addresses, customer numbers or secrets")

    # What users do in HubSpot

    def merge(self, first: str, second: str, kept: str) -> None:
        """Merge two contacts: into a "new" id, or into the id of the "first" or the "second"."""
        one, other = naming.find(self.portal, first), naming.find(self.portal, second)
        if one is None or other is None or one.number == other.number:
            return
        if kept == "second":
            one, other = other, one
        merged = self.portal.merge(one.record_id, other.record_id, keeps_primary_id=kept != "new")
        self.expected.merge({one.number, other.number}, int(merged))
        old = {one.record_id, other.record_id}
        if self.expected.bystanders & old:
            self.expected.bystanders = self.expected.bystanders - old | {merged}
        # Of two customer numbers the merged contact has one, and it may have an obstacle of the other's.
        if self.variant.match_by == "property" or self.variant.asks_mailability:
            self.days_pass(CACHE_DAYS)

    def delete_contact(self, identifier: str) -> None:
        """Delete a contact; a ledger looks its address up again only after some days."""
        if contact := naming.find(self.portal, identifier):
            self.portal.delete_contact(contact.record_id)
            for members in self.expected.members.values():
                members.forget(contact.number)
            self.expected.bystanders.discard(contact.record_id)
            self.days_pass(CACHE_DAYS)

    def move_address(self, identifier: str, *, has_heir: bool) -> None:
        """Give a contact another address and number, and perhaps its old ones to another contact."""
        contact = naming.find(self.portal, identifier)
        if contact is None or contact.email is None:
            return
        numbered = {name: each for name, each in contact.properties.items() if name == "customer_id"}
        new = {name: naming.number(f"new-{next(self._numbers)}") for name in numbered}
        self.portal.update_contact(contact.record_id, email=self.new_address(), **new)
        if has_heir:
            self.portal.add_contact(contact.email, **numbered)
        self.days_pass(CACHE_DAYS)

    def opt_out(self, identifier: str) -> None:
        """Let a contact opt out of all email; a ledger reads it again only after some days."""
        if contact := naming.find(self.portal, identifier):
            self.portal.update_contact(contact.record_id, **OPTED_OUT)
            self.days_pass(CACHE_DAYS)

    def add_contact(self) -> None:
        """Make a contact that the source may name from now on."""
        address = self.new_address()
        number = naming.number(f"new-{next(self._numbers)}")
        record_id = self.portal.add_contact(address, customer_id=number)
        identifiers = {
            "email": address,
            "contact_id": record_id,
            "property": number,
            "fallbacks": naming.several(number, address),
        }
        self.source.identifiers.append(identifiers[self.variant.match_by])

    def create_contact(self, identifier: str) -> None:
        """Make the contact of a person whom the source names by address or number and HubSpot does not know."""
        if self.variant.match_by == "contact_id" or naming.find(self.portal, identifier) is not None:
            return
        last = naming.parts(identifier)[-1]
        if self.variant.match_by == "property":
            self.portal.add_contact(self.new_address(), customer_id=last)
        else:
            self.portal.add_contact(last)

    def add_by_hand(self, cohort: str, identifier: str) -> None:
        """Add a contact to a cohort's list."""
        for list_id, contact in self._list_and_contact(cohort, identifier):
            if contact.record_id not in self.portal.members(list_id):
                self.portal.add_members(list_id, contact.record_id)
                is_in_ledger = self.expected.is_in_ledger(cohort)
                self.expected.members[list_id].add_by_hand(contact.number, is_in_ledger=is_in_ledger)

    def remove_by_hand(self, cohort: str, identifier: str) -> None:
        """Remove a contact from a cohort's list."""
        for list_id, contact in self._list_and_contact(cohort, identifier):
            if contact.record_id in self.portal.members(list_id):
                self.portal.remove_members(list_id, contact.record_id)
                is_in_ledger = self.expected.is_in_ledger(cohort)
                self.expected.members[list_id].remove_by_hand(contact.number, is_in_ledger=is_in_ledger)

    def rename_list(self, cohort: str) -> None:
        """Rename a cohort's list: with a ledger it stays the cohort's, without one the cohort gets a new list."""
        if list_id := self.known_list(cohort):
            # A list that was there before the first run is ours by its prefix alone; without it a mirror keeps off.
            prefix = self.variant.prefix if self.variant.was_there else ""
            self.portal.rename_list(list_id, prefix + self.new_name())

    def delete_list(self, cohort: str) -> None:
        """Delete a cohort's list under another name: a deleted list keeps its name."""
        if list_id := self.known_list(cohort):
            self.portal.rename_list(list_id, self.new_name())
            self.portal.delete_list(list_id)

    def rename_cohort(self, cohort: str) -> None:
        """Rename a cohort: with a ledger and an id it keeps its list, else it gets a new list."""
        if cohort in self.expected.unsettled:
            return
        self.source.names[cohort] = self.new_name()
        if not self.variant.has_ids:
            self.expected.forget_list(cohort)

    def days_pass(self, days: int) -> None:
        """Let days pass."""
        self.clock.sleep(days * SECONDS_PER_DAY)

    def known_list(self, cohort: str) -> str | None:
        """Return a cohort's list, unless a failed run may or may not have told the ledger of it."""
        return None if cohort in self.expected.unsettled else self.expected.live_list_of(cohort)

    def _list_and_contact(self, cohort: str, identifier: str) -> Iterator[tuple[str, Contact]]:
        """Yield what a change by hand is about, if both exist."""
        list_id, contact = self.known_list(cohort), naming.find(self.portal, identifier)
        if list_id is not None and contact is not None:
            yield list_id, contact

    def new_name(self) -> str:
        """Return a name that no list and no cohort had."""
        return f"Name {next(self._numbers)}"

    def new_address(self) -> str:
        """Return an address that no contact had."""
        return f"spare{next(self._numbers)}@example.com"
