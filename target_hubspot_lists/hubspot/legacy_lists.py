"""Translates ids of the retired lists API v1 into those that lists have today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hubspot_singer.http import InvalidCredentials, MissingScopes, Refused, parsed, required_id
from target_hubspot_lists.errors import ListError
from target_hubspot_lists.hubspot.batching import in_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hubspot_singer.http import HubSpotClient

LEGACY_IDS_PER_CALL = 10_000  # as the description of the API says


def todays_ids(client: HubSpotClient, legacy_ids: Iterable[str]) -> dict[str, str | None]:
    """Return the id that the list of each legacy id has today; None where HubSpot says that it knows no such list.

    ListError if HubSpot does not translate them: a failure never becomes "there is no such list".
    """
    wanted = sorted(set(legacy_ids))
    found: dict[str, str | None] = {}
    for some in in_runs(wanted, LEGACY_IDS_PER_CALL):
        found.update(_translated(client, some))
    return found


def told(todays: Mapping[str, str | None]) -> Iterator[str]:
    """Yield which list each legacy id is today, for a check of the settings; ListError names one that is none."""
    for legacy_id, list_id in todays.items():
        if list_id is None:
            raise ListError(f"{absent(legacy_id)}.")
        yield f"lists[].legacy_list_id {legacy_id}: the list has the id {list_id} today."


def absent(legacy_id: str) -> str:
    """Return what is said of a legacy id that HubSpot does not know."""
    return (
        f"HubSpot knows no list that had the id {legacy_id} in the lists API v1: correct lists[].legacy_list_id, or "
        "name the list by today's id in lists[].list_id"
    )


def _translated(client: HubSpotClient, legacy_ids: Sequence[str]) -> dict[str, str | None]:
    # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide (ID mapping)
    try:
        answer = client.post(f"{client.base('crm/lists')}/idmapping", list(legacy_ids))
    except (InvalidCredentials, MissingScopes):
        raise
    except Refused as refused:
        raise ListError(
            f"HubSpot does not translate the ids in lists[].legacy_list_id. {refused} Or name these lists by today's "
            "ids in lists[].list_id: the address of a list in HubSpot ends with it."
        ) from refused
    found = parsed(answer, _mapping)
    if unsaid := [each for each in legacy_ids if each not in found]:
        raise ListError(
            f"HubSpot did not say which list has the legacy id {unsaid[0]} (lists[].legacy_list_id), nor that there is "
            "none: nothing is concluded from that, and the run ends. Run again later."
        )
    return found


def _mapping(body: Mapping[str, Any]) -> dict[str, str | None]:
    """Parse HubSpot's PublicBatchMigrationMapping."""
    missing: dict[str, str | None] = dict.fromkeys(
        str(required_id(each)) for each in body["missingLegacyListIds"]
    )
    pairs = body["legacyListIdsToIdsMapping"]
    return missing | {
        str(required_id(each["legacyListId"])): str(required_id(each["listId"])) for each in pairs
    }
