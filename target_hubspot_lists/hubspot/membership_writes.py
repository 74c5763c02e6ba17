"""Adds record ids to a list and removes them, many in one call, and returns what HubSpot confirmed for each."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from hubspot_singer.http import (
    Conflict,
    InvalidRequest,
    MissingScopes,
    NotFound,
    Refused,
    TooLarge,
    TooSlow,
    parsed,
)
from target_hubspot_lists.hubspot.batching import MAX_INPUTS_PER_CALL
from target_hubspot_lists.hubspot.list_objects import deleted_in_run, list_refused
from target_hubspot_lists.hubspot.membership_changes import Change, Confirmation
from target_hubspot_lists.hubspot.refusals import CallHistory, Doubt, changes_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.hubspot.contacts import Contacts
    from target_hubspot_lists.hubspot.list_objects import HubSpotList
    from target_hubspot_lists.hubspot.lists import Lists
    from target_hubspot_lists.hubspot.membership_changes import Doubts
    from target_hubspot_lists.hubspot.refusals import CallKind, RefusedCall

logger = logging.getLogger(__name__)

# HubSpot names no limit for add-and-remove; calls of this size have been seen to work many times over.
# https://developers.hubspot.com/docs/api-reference/latest/crm/lists/memberships
MAX_RECORD_IDS_PER_CALL = 10_000

UNKNOWN_RECORD_ID = 2**63 - 1  # the largest possible record id: HubSpot answers that it is missing

# A call that times out twice at one size will do so again: it is halved instead.
SLOW_TRIES = 2

FORBIDDEN = 403  # with all scopes granted: HubSpot refuses this list


class ChangeWriter:
    """Sends changes, several at once; keeps for the run the size of call that HubSpot takes."""

    def __init__(self, client: HubSpotClient, lists: Lists, contacts: Contacts) -> None:
        self._client = client
        self._lists = lists
        self._contacts = contacts
        self._lock = threading.Lock()
        self.size = MAX_RECORD_IDS_PER_CALL
        self._history = CallHistory()

    def write(self, hubspot_list: HubSpotList, change: Change) -> Confirmation:
        """Apply a change to a list; ids that HubSpot refuses are isolated by halving.

        Afterwards they are `refused`, or `doubtful` until `ask_again` has judged all that a flush leaves in doubt.
        """
        return self._write(hubspot_list, change, alone={})

    def ask_again(self, hubspot_list: HubSpotList, doubts: Doubts) -> Confirmation:
        """Settle every id in doubt as refused, missing or accepted; UnusableList if HubSpot refuses the list itself.

        They are sent again once HubSpot has accepted another call on the list. If it accepts none, the contacts are
        read: an unknown contact is missing, and if HubSpot knows any of them, it is the list that it refuses.
        """
        adds, removals = doubts.by_kind[True], doubts.by_kind[False]
        whole = Confirmation(Change(tuple(adds), tuple(removals)))
        for is_add, doubtful in doubts.by_kind.items():
            # If HubSpot accepted only the other kind, an unknown id shows whether it accepts this one.
            taken = doubts.accepted.get(is_add, UNKNOWN_RECORD_ID if doubts.accepted else None)
            self._settle_doubts(whole, hubspot_list, doubtful, taken, is_add=is_add)
        return whole

    def _settle_doubts(
        self,
        whole: Confirmation,
        hubspot_list: HubSpotList,
        doubtful: Mapping[int, Doubt],
        taken: int | None,
        *,
        is_add: bool,
    ) -> None:
        """Send ids of one kind until none is in doubt; each round settles at least those refused alone before."""
        kind = changes_of(hubspot_list.list_id, is_add=is_add)
        while doubtful:
            alone = {
                record_id: doubt.alone for record_id, doubt in doubtful.items() if doubt.alone is not None
            }
            if not self._history.has_accepted_since([kind], max(alone.values(), default=0)):
                if taken is not None:
                    self._check_takes(hubspot_list, Change.of_one_kind([taken], is_add=is_add))
                    whole.calls += 1
                else:
                    current = self._contacts.known_ids(alone)
                    if any(asked == now for asked, now in current.items()):
                        raise list_refused(hubspot_list, next(iter(doubtful.values())).problem)
                    whole.missing |= alone.keys()
                    whole.read |= {record_id: current.get(record_id) for record_id in alone}
                    doubtful = {
                        record_id: doubt for record_id, doubt in doubtful.items() if record_id not in alone
                    }
            self._history.reset_doubts([kind])
            # Ids refused alone come first: they are settled even if the others are hopeless again.
            in_order = sorted(doubtful, key=lambda record_id: record_id not in alone)
            again = self._write(hubspot_list, Change.of_one_kind(in_order, is_add=is_add), alone=alone)
            taken = again.accepted_id(is_add=is_add) if taken is None else taken
            doubtful, again.doubtful = again.doubtful, {}
            whole.include(again)

    def _check_takes(self, hubspot_list: HubSpotList, change: Change) -> None:
        """Send a change that HubSpot must accept and that changes nothing; UnusableList if it refuses even that."""
        sent = self._history.now()
        try:
            _put(self._client, hubspot_list, change)
        except (Conflict, InvalidRequest, TooLarge) as problem:
            raise list_refused(hubspot_list, problem) from problem
        self._history.accepted(_kinds(hubspot_list, change), sent)

    def _write(self, hubspot_list: HubSpotList, change: Change, *, alone: Mapping[int, int]) -> Confirmation:
        """Write a change; `alone` holds the moments at which ids in it were refused on their own before."""
        if len(change) <= self.size:
            return self._write_or_divide(hubspot_list, change, within=None, alone=alone)
        whole = Confirmation(change)
        for part in change.split(self.size):
            whole.include(self._write_or_divide(hubspot_list, part, within=None, alone=alone))
        return whole

    def _write_or_divide(
        self,
        hubspot_list: HubSpotList,
        change: Change,
        *,
        within: RefusedCall | None,
        alone: Mapping[int, int],
    ) -> Confirmation:
        """Send a change, and in parts if HubSpot refuses it; `within` is the call that it was a part of."""
        if within and self._history.is_hopeless(_kinds(hubspot_list, change)):
            return Confirmation(change, doubtful=dict.fromkeys(change.ids, Doubt(within.problem, None)))
        started, sent = time.monotonic(), self._history.now()
        try:
            confirmation = _put(self._client, hubspot_list, change)
        except TooSlow as problem:
            if len(change) == 1:
                raise
            _warn(hubspot_list, change, problem)
            confirmation = self._divide(hubspot_list, change, within=within, alone=alone, is_size=True)
        except (Conflict, InvalidRequest, TooLarge) as problem:
            refused = self._history.refused(problem)
            is_size = isinstance(problem, TooLarge)
            if within is None:
                _warn(hubspot_list, change, problem)
                if not is_size:
                    # A list that became active refuses every change: then no id is at fault, and none is searched for.
                    self._lists.check_takes_members(hubspot_list)
            if len(change) == 1:
                confirmation = self._judge_alone(hubspot_list, change, refused, within=within, alone=alone)
            else:
                confirmation = self._divide(
                    hubspot_list, change, within=refused, alone=alone, is_size=is_size
                )
        else:
            self._history.accepted(_kinds(hubspot_list, change), sent)
        confirmation.calls += 1
        confirmation.seconds = time.monotonic() - started
        return confirmation

    def _divide(
        self,
        hubspot_list: HubSpotList,
        change: Change,
        *,
        within: RefusedCall | None,
        alone: Mapping[int, int],
        is_size: bool,
    ) -> Confirmation:
        """Write a change in parts; `is_size` says that its size is at fault, and not perhaps an id in it."""
        parts = list(change.halves()) if is_size else change.parts()
        size = max(map(len, parts))
        if is_size:
            self._learn(size)
        whole = Confirmation(change)
        confirmations = [
            self._write_or_divide(hubspot_list, piece, within=within, alone=alone)
            for part in parts
            for piece in part.split(self.size)  # the part before may have taught a smaller size
        ]
        for confirmation in confirmations:
            whole.include(confirmation)
        went_through = all(
            confirmation.calls == 1 and confirmation.is_accepted for confirmation in confirmations
        )
        if not is_size and went_through and size >= MAX_INPUTS_PER_CALL:
            # It was the size, not an id; of fewer it would be a smaller limit than any of HubSpot's: a passing refusal.
            self._learn(size)
        return whole

    def _learn(self, size: int) -> None:
        with self._lock:
            self.size = min(self.size, size)

    def _judge_alone(
        self,
        hubspot_list: HubSpotList,
        change: Change,
        refused: RefusedCall,
        *,
        within: RefusedCall | None,
        alone: Mapping[int, int],
    ) -> Confirmation:
        """Return the result for an id that was sent alone and refused: refused, or in doubt."""
        (record_id,), kinds = change.ids, _kinds(hubspot_list, change)
        earlier = within.moment if within else None, alone.get(record_id)
        if doubt := self._history.judge_alone(kinds, record_id, refused, *earlier):
            return Confirmation(change, doubtful={record_id: doubt})
        return Confirmation(change, refused={record_id: refused.problem})


def _put(client: HubSpotClient, hubspot_list: HubSpotList, change: Change) -> Confirmation:
    # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/memberships
    try:
        answer = client.put(
            f"{client.base('crm/lists')}/{hubspot_list.list_id}/memberships/add-and-remove",
            {
                "recordIdsToAdd": list(map(str, change.add)),
                "recordIdsToRemove": list(map(str, change.remove)),
            },
            slow_tries=SLOW_TRIES,
        )
    except NotFound as not_found:
        raise deleted_in_run(hubspot_list) from not_found
    except MissingScopes:
        raise
    except Refused as refused:
        if refused.status == FORBIDDEN:
            raise list_refused(hubspot_list, refused) from refused
        raise
    return parsed(answer, partial(Confirmation.from_body, change))


def _warn(hubspot_list: HubSpotList, change: Change, problem: Refused | TooSlow) -> None:
    logger.warning("%s: a call with %d record ids failed. %s", hubspot_list, len(change), problem)


def _kinds(hubspot_list: HubSpotList, change: Change) -> list[CallKind]:
    return [changes_of(hubspot_list.list_id, is_add=is_add) for is_add, _ in change.kinds()]
