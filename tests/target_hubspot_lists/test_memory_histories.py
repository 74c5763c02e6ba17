"""Whatever happens to portal, cohorts and runs, the lists end as the sources said: nobody lost, nobody wrongly off."""

from __future__ import annotations

import io
import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from target_hubspot_lists.target import TargetHubSpotLists
from tests.clocks import FakeClock
from tests.factories import record_message, schema_message
from tests.hubspot_emulator import HubSpotEmulator, Portal
from tests.target_hubspot_lists.inputs import ADD_AND_REMOVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Said = tuple[str, str, bool]  # cohort, address, whether they are in it
    BreakOff = tuple[int, bool]  # after so many calls; and whether HubSpot does what the last one asks for

DAYS_PASSED = 8  # more than contact_cache_days: the ledger looks every address up again
SECONDS_PER_DAY = 86_400
COLUMNS = ("email", "cohort_id", "cohort_name", "operation")
ADDRESSES = [f"{name}@example.com" for name in ("ada", "bob", "eve", "joe")]
COHORTS = ["c1", "c2"]


class History:
    """Runs with a ledger, and what people do in HubSpot between them, beside a model of who ought to be where."""

    def __init__(self, folder: str, portal: Portal, hubspot: HubSpotEmulator) -> None:
        self.ledger_url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        self.portal = portal
        self.hubspot = hubspot
        self.clock = FakeClock()
        self.spare = itertools.count()
        self.names = {cohort: f"Cohort {cohort}" for cohort in COHORTS}
        self.wanted: dict[str, set[str]] = {cohort: set() for cohort in COHORTS}  # record ids
        self.list_ids: dict[str, str] = {}
        self.known: dict[str, str] = {}  # whose each address was when a run last found it
        self.bring([(cohort, address, True) for cohort in COHORTS for address in ADDRESSES[:2]])

    # What happens

    def bring(
        self,
        changes: Sequence[Said],
        break_off: BreakOff | None = None,
        more: Sequence[Said] = (),
        **config: Any,
    ) -> None:
        """A run brings changes; if it breaks off another one brings them again, and more."""
        if break_off:
            self.break_off(*break_off)
            self.run(changes, **config)
            self.hubspot.faults.clear()
            changes = [*changes, *more]
        assert self.run(changes, **config) == 0
        for cohort, address, is_member in changes:
            if contact := self.portal.find_contact(address):
                self.known[address] = contact.record_id
            # A removal is done by the last known record of an address that nobody has any more.
            if record_id := self.known.get(address):
                ought = self.wanted[cohort]
                (ought.add if is_member else ought.discard)(record_id)
            if cohort not in self.list_ids and self.names[cohort] in self.portal.list_names():
                self.list_ids[cohort] = self.portal.hubspot_list(self.names[cohort]).list_id

    def rename_cohort(self, cohort: str) -> None:
        self.names[cohort] = self.new_name()

    def rename_list(self, cohort: str) -> None:
        if cohort in self.list_ids:
            self.portal.rename_list(self.list_ids[cohort], self.new_name())

    def delete_list(self, cohort: str, leave: Sequence[str], join: str) -> None:
        """A list is deleted, some leave its cohort, and somebody joins it, so that it is made anew."""
        if list_id := self.list_ids.pop(cohort, None):
            self.portal.rename_list(list_id, self.new_name())  # a deleted list keeps its name
            self.portal.delete_list(list_id)
        self.bring([(cohort, each, False) for each in leave])
        self.bring([(cohort, join, True)])

    def merge(self, first: str, second: str) -> None:
        contacts = [self.portal.find_contact(first), self.portal.find_contact(second)]
        old = {each.record_id for each in contacts if each}
        if len(old) == 2:
            merged = self.portal.merge(first, second)
            self.known |= {address: merged for address, each in self.known.items() if each in old}
            for members in self.wanted.values():
                if members & old:
                    members.difference_update(old)
                    members.add(merged)
        self.days_pass()

    def hand_over(self, address: str, *, has_heir: bool) -> None:
        """An address is no longer its contact's, and perhaps another one's."""
        if address in self.portal.emails():
            self.portal.update_contact(address, email=self.new_address())
            if has_heir:
                self.portal.add_contact(address)
        self.days_pass()

    def change_by_hand(
        self, cohort: str, leaver: int, changes: Sequence[Said], break_off: BreakOff | None
    ) -> None:
        """A list loses a member and gains a stranger in HubSpot, and a run reconciles."""
        if list_id := self.list_ids.get(cohort):
            if members := sorted(self.portal.members(list_id)):
                self.portal.remove_members(list_id, members[leaver % len(members)])
            stranger = self.portal.add_contact(self.new_address())
            self.portal.add_members(list_id, stranger)
            self.wanted[cohort].add(stranger)
        self.reconcile(changes, break_off)

    def delete_contact(self, cohort: str, number: int, changes: Sequence[Said]) -> None:
        if members := sorted(self.wanted[cohort]):
            record_id = members[number % len(members)]
            self.portal.delete_contact(record_id)
            for each in self.wanted.values():
                each.discard(record_id)
        self.reconcile(changes, None)

    # Steps of these

    def reconcile(self, changes: Sequence[Said], break_off: BreakOff | None) -> None:
        """A run reconciles the lists that its records are about."""
        everywhere = [(cohort, ADDRESSES[0], True) for cohort in COHORTS]
        self.bring([*changes, *everywhere], break_off, reconcile=True)

    def break_off(self, calls: int, is_accepted: bool) -> None:  # noqa: FBT001
        if is_accepted:
            self.hubspot.faults.accept_then_drop("PUT", ADD_AND_REMOVE, after=calls // 4)
            self.hubspot.faults.next("PUT", ADD_AND_REMOVE, status=500, after=calls // 4)
        else:
            self.hubspot.faults.next("*", "/crm/", status=500, after=calls)

    def run(self, changes: Iterable[Said], **config: Any) -> int:
        records = (
            record_message(
                email=address,
                cohort_id=cohort,
                cohort_name=self.names[cohort],
                operation="add" if is_member else "remove",
            )
            for cohort, address, is_member in changes
        )
        source = "".join(f"{message}\n" for message in (schema_message(*COLUMNS), *records))
        config |= {"api_url": self.hubspot.url, "access_token": self.hubspot.token, "list_name_prefix": ""}
        config |= {"ledger_url": self.ledger_url, "batch_size_rows": 3}
        return TargetHubSpotLists(config=config, clock=self.clock).run(io.BytesIO(source.encode()))

    def days_pass(self) -> None:
        self.clock.sleep(DAYS_PASSED * SECONDS_PER_DAY)

    def new_name(self) -> str:
        return f"Name {next(self.spare)}"

    def new_address(self) -> str:
        return f"spare{next(self.spare)}@example.com"

    def check(self) -> None:
        for cohort, list_id in self.list_ids.items():
            assert self.portal.members(list_id) == self.wanted[cohort], cohort


addresses, cohorts = st.sampled_from(ADDRESSES), st.sampled_from(COHORTS)
changes = st.lists(st.tuples(cohorts, addresses, st.booleans()), min_size=1, max_size=5)
break_offs = st.none() | st.tuples(st.integers(0, 7), st.booleans())
numbers = st.integers(0, 3)


def step(method: Callable[..., None], **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(st.just(method), st.fixed_dictionaries(arguments))


STEPS = st.one_of(
    step(History.bring, changes=changes, break_off=break_offs, more=changes),
    step(History.rename_cohort, cohort=cohorts),
    step(History.rename_list, cohort=cohorts),
    step(History.delete_list, cohort=cohorts, leave=st.lists(addresses, max_size=2), join=addresses),
    step(History.merge, first=addresses, second=addresses),
    step(History.hand_over, address=addresses, has_heir=st.booleans()),
    step(History.change_by_hand, cohort=cohorts, leaver=numbers, changes=changes, break_off=break_offs),
    step(History.delete_contact, cohort=cohorts, number=numbers, changes=changes),
)


@settings(max_examples=10)
@given(st.lists(STEPS, min_size=2, max_size=6))
def test_whatever_happens_the_lists_end_as_the_sources_said(steps: list[tuple[Any, dict[str, Any]]]) -> None:
    portal = Portal()
    with tempfile.TemporaryDirectory() as folder, HubSpotEmulator(portal) as hubspot:
        history = History(folder, portal, hubspot)
        for method, arguments in steps:
            method(history, **arguments)
            history.check()
