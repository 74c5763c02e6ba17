"""Who is on a list: the rules of adding and removing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import HubSpotError, invalid
from tests.hubspot_emulator.bodies import is_digits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.hubspot_emulator.contacts import Contacts
    from tests.hubspot_emulator.lists import HubSpotList
    from tests.hubspot_emulator.quirks import Quirks

LARGEST_RECORD_ID = 2**63 - 1
GATEWAY_TIMEOUT = 100  # seconds: https://developers.hubspot.com/docs/api-reference/error-handling on 524
# "Remove all" and "add from" take lists of fewer members: https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide
BULK_LIMIT = 100_000


@dataclass(slots=True)
class Change:
    """What a membership call did, in the order asked. Ids already in the state asked for are nowhere."""

    added: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)


def numbers(record_ids: Sequence[str]) -> list[int]:
    """Read record ids as HubSpot's schema has them: strings of digits."""
    if not all(record_ids) or (record_ids and not is_digits("".join(record_ids))):
        raise invalid("Invalid input JSON: record ids must be strings of digits")
    read = list(map(int, record_ids))
    if read and max(read) > LARGEST_RECORD_ID:
        raise invalid("Invalid input JSON: record id out of range")
    return read


def check_change(target: HubSpotList, add: Sequence[int], remove: Sequence[int], quirks: Quirks) -> None:
    """Refuse what HubSpot refuses, and what it is not known to take."""
    if target.processing_type == "DYNAMIC":
        raise invalid(
            f"Cannot change the memberships of list {target.list_id}: its processing type is DYNAMIC."
        )
    # What HubSpot makes of an id named twice, or both to add and to remove, is not documented: refused.
    if len({*add, *remove}) != len(add) + len(remove):
        raise invalid("Duplicate record ids in one request.")
    if quirks.max_ids_per_call is not None and len(add) + len(remove) > quirks.max_ids_per_call:
        message = f"At most {quirks.max_ids_per_call} record ids are allowed in one request."
        raise HubSpotError(quirks.too_many_ids_status, "VALIDATION_ERROR", message)
    locked = quirks.locked_lists.get(target.list_id, set())
    if ("add" in locked and add) or ("remove" in locked and remove):
        raise invalid("You are not allowed to change segments right now")
    if refused := sorted(quirks.refused_record_ids.intersection(map(str, (*add, *remove)))):
        which = f"record ids {', '.join(refused)} are" if quirks.names_refused_ids else "a record id is"
        raise invalid(f"Invalid input JSON: {which} not acceptable.")


def change_members(
    target: HubSpotList,
    add: Sequence[int],
    remove: Sequence[int],
    contacts: Contacts,
    *,
    quirks: Quirks,
    now_ms: int,
) -> Change:
    """Add and remove at once. Ids of no live contact, those of merged ones among them, are missing.

    So are contacts that were made less than `new_contact_lag` seconds ago.

    Not documented: whether an id that a merge retired is followed here as it is in reads; a quirk says so.
    """
    if quirks.follows_merged_ids:
        add, remove = (list(dict.fromkeys(map(contacts.resolve, ids))) for ids in (add, remove))
    known = contacts.listable([*add, *remove])
    present = set(filter(target.members.__contains__, known))
    change = Change(
        added=_only(add, known - present),
        removed=_only(remove, present),
        missing=_only([*add, *remove], {*add, *remove} - known),
    )
    dropped = {int(record_id) for record_id in quirks.dropped_record_ids}
    kept = [number for number in change.added if number not in dropped] if dropped else change.added
    target.apply(
        kept,
        change.removed,
        now_ms,
        lag=quirks.membership_lag,
        lag_ms=int(quirks.membership_lag_seconds * 1000),
    )
    return change


def check_duration(ids: int, quirks: Quirks) -> None:
    """Time out as the proxy before HubSpot does, without making anybody wait."""
    if ids * quirks.seconds_per_id > GATEWAY_TIMEOUT:
        raise HubSpotError(524, "TIMEOUT", "A timeout occurred")


def _only(numbers: Sequence[int], wanted: set[int]) -> list[int]:
    """Give those of the ids that are wanted, in their order; often none of them is, or no other."""
    return [number for number in numbers if number in wanted] if wanted else []
