"""Whether a list belongs to its snapshot alone: a ledger may know other cohorts, or another stream, that fill it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.mirror.guards import MOST_NAMED, entries
from target_hubspot_lists.sync.destinations import described

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.journal.journal import Journal, ListOwners
    from target_hubspot_lists.mirror.list_snapshot import ListSnapshot
    from target_hubspot_lists.sync.destinations import Routes


class Owners:
    """Decides whether others than the cohorts of a snapshot fill its list, whose members the snapshot would remove.

    A snapshot proves who is in its own cohorts, and nothing of those who did not come. What decides is the setting
    `lists`: a list that it names for all cohorts that came, and for no other, is theirs.
    """

    def __init__(self, journal: Journal, routes: Routes) -> None:
        self._journal = journal
        self._routes = routes

    def claim(self, snapshot: ListSnapshot) -> str | None:
        """Return why nobody may be removed for the sake of others that fill the list.

        None if nobody else does: then it is recorded that the snapshot's stream fills the list from here on.
        """
        hubspot_list = snapshot.hubspot_list
        if hubspot_list is None:
            return None
        known = self._journal.owners(hubspot_list)
        gap = self._gap(snapshot, hubspot_list, known)
        if gap is None and known.streams - {snapshot.stream}:
            self._journal.take_over(hubspot_list, snapshot.stream)
        return gap

    def _gap(self, snapshot: ListSnapshot, hubspot_list: HubSpotList, known: ListOwners) -> str | None:
        """Return why nobody may be removed for the sake of `known` owners of the list; None if it has no others."""
        came = [each.cohort for each in snapshot.cohorts]
        others = [
            cohort
            for cohort in _strangers(known.cohorts, came)
            if not self._routes.is_sent_elsewhere(cohort, hubspot_list)
        ]
        named = self._entries_for_others(others, hubspot_list)
        if not named and all(self._routes.is_configured(each) for each in came):
            return None
        if others:
            return _other_cohorts(hubspot_list, came, others, named)
        if other_streams := known.streams - {snapshot.stream}:
            last = known.stream if known.stream in other_streams else None
            return _other_stream(hubspot_list, came, snapshot.stream, others=other_streams, last=last)
        return None

    def _entries_for_others(self, others: Iterable[Cohort], hubspot_list: HubSpotList) -> list[str]:
        """Return the cohorts that `lists` sends to the list, by an id or a name that one of the others has."""
        texts = {text for cohort in others for text in cohort}
        return [entry for entry in self._routes.configured_for(hubspot_list) if entry in texts]


def _strangers(known: Sequence[Cohort], came: Sequence[Cohort]) -> list[Cohort]:
    """Return the known cohorts that did not come, under the name that they have now or under an earlier one."""
    keys = {each.key for each in came}
    arrived = [*came, *(each for each in known if each.key in keys)]
    # A source may have begun to give ids, or ceased to: then the name says which cohort it is.
    names = {each.name for each in arrived}
    names_without_id = {each.name for each in arrived if each.id is None}
    return [
        each
        for each in known
        if each.key not in keys and each.name not in (names if each.id is None else names_without_id)
    ]


def _other_cohorts(
    hubspot_list: HubSpotList, came: Sequence[Cohort], others: Sequence[Cohort], named: Sequence[str]
) -> str:
    """Return the message where cohorts go to the list that did not come."""
    take_out = f" and take {_quoted(named)} out of lists" if named else ""
    return (
        f"{hubspot_list}: by the ledger {_described(others)} fills it as well, and did not come to it in this run, so "
        f"it is not known who of it is to stay. No member was removed: to let {_described(came)} alone rule the list, "
        f"name it in lists: {entries(hubspot_list, came)}{take_out}. Else bring all its cohorts in one run, or give "
        "each a list of its own there."
    )


def _other_stream(
    hubspot_list: HubSpotList,
    came: Sequence[Cohort],
    stream: str,
    *,
    others: Iterable[str],
    last: str | None,
) -> str:
    """Return the message where other streams fill the list, one of them perhaps as the last one."""
    fills = (
        f'stream "{shown(last)}" filled it last, not "{shown(stream)}"'
        if last is not None
        else f'stream {_quoted(sorted(others))} fills it as well, besides "{shown(stream)}"'
    )
    return (
        f"{hubspot_list}: by the ledger {fills}, and in mirror mode each would remove the other's members. No member "
        f"was removed: to let {_described(came)} of this stream rule the list, name it in lists: "
        f"{entries(hubspot_list, came)}. Else give it another list there."
    )


def _described(cohorts: Sequence[Cohort]) -> str:
    named = map(described, cohorts[:MOST_NAMED])
    more = f" and {len(cohorts) - MOST_NAMED:,} more" if len(cohorts) > MOST_NAMED else ""
    return f"cohort {', '.join(named)}{more}"


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{shown(each)}"' for each in names)
