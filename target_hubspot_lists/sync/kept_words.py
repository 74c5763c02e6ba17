"""Which kept adds are this pipeline's, and which of them a later removal replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.identifiers import is_same_person, named_by
from target_hubspot_lists.sync.no_properties import NO_FLUSH
from target_hubspot_lists.sync.resolving import look_up

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.ledger.records import KeptAdd, KnownRemoval


def pipeline_of(runs: Iterable[Collection[str]], came: Collection[str]) -> set[str]:
    """Return the lists of one pipeline: those of runs that have a list in common, directly or by other runs.

    `runs` has the lists of each run of a stream's name, `came` those of the run in hand. If none came, it is the only
    pipeline there is; where there are several, which name their streams alike, it is none: nobody can tell which.
    """
    pipelines: list[set[str]] = []
    for run in (*runs, came):
        if run:
            same = [each for each in pipelines if not each.isdisjoint(run)]
            pipelines = [each for each in pipelines if each.isdisjoint(run)]
            pipelines.append(set(run).union(*same))
    ours = [each for each in pipelines if not came or not each.isdisjoint(came)]
    return ours[0] if len(ours) == 1 else set()


def cancelled_by_name(adds: Iterable[KeptAdd], removals: Iterable[KnownRemoval]) -> Iterator[KeptAdd]:
    """Yield the adds after which a removal by one of the same identifiers came, whether or not HubSpot knows it."""
    by_name: dict[tuple[str, str], list[KnownRemoval]] = {}
    for removal in removals:
        for name in named_by(removal.matched_by, removal.member):
            by_name.setdefault(name, []).append(removal)
    for add in adds:
        alike = (each for name in named_by(add.matched_by, add.member) for each in by_name.get(name, ()))
        if any(
            each.word > add.word and is_same_person(add.matched_by, add.member, each.matched_by, each.member)
            for each in alike
        ):
            yield add


def cancelled(
    kept_since: Mapping[int, int],
    removals: Collection[KnownRemoval],
    merged: Mapping[int, int],
    contacts: Contacts,
) -> Iterator[int]:
    """Yield the contacts of whom a removal came after the add was kept, by whatever identifier.

    `kept_since` has the word of each add by record id, `merged` the record ids that merges retired, with those that
    their contacts have now. Removals of whom HubSpot knew no contact then are looked up: it may be one of these.
    """
    latest: dict[int, int] = {}
    for each in removals:
        if each.record_id is not None:
            record_id = merged.get(each.record_id, each.record_id)
            latest[record_id] = max(each.word, latest.get(record_id, 0))
    for record_id, word in _unknown(removals, contacts):
        latest[record_id] = max(word, latest.get(record_id, 0))
    for record_id, word in kept_since.items():
        if latest.get(merged.get(record_id, record_id), 0) > word:
            yield record_id


def _unknown(removals: Collection[KnownRemoval], contacts: Contacts) -> Iterator[tuple[int, int]]:
    """Yield the contact that a removed member is by now, with the word; one that has several names by each."""
    words: dict[str, dict[str, int]] = {}
    for each in removals:
        if each.record_id is None:
            for by, value in named_by(each.matched_by, each.member):
                of_property = words.setdefault(by, {})
                of_property[value] = max(each.word, of_property.get(value, 0))
    for by, of_property in words.items():
        for value, record_id in look_up(contacts, by, of_property, NO_FLUSH).record_ids.items():
            yield record_id, of_property[value]
