"""Asks HubSpot, over its own API, who is on a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from hubspot_singer.http import Connection, HubSpotClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

MEMBERS_PER_PAGE = 250  # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/memberships
CONTACTS_PER_READ = 100  # https://developers.hubspot.com/docs/api-reference/latest/crm/objects/contacts


@dataclass(frozen=True)
class ListWithMembers:
    """A list as HubSpot shows it, with the addresses of its members."""

    list_id: str
    name: str
    members: tuple[str, ...]


class HubSpot:
    """A portal, looked at from outside; every answer is asked for anew."""

    def __init__(self, url: str, token: str) -> None:
        self._client = HubSpotClient(Connection.from_settings({"api_url": url, "access_token": token}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._client.close()

    def list_named(self, name: str) -> ListWithMembers:
        """Return a list of contacts and its members' addresses, in order."""
        # https://developers.hubspot.com/docs/api-reference/latest/crm/lists/guide#retrieve-a-list-by-name
        found = self._client.get(
            f"{self._client.base('crm/lists')}/object-type-id/0-1/name/{quote(name, safe='')}"
        )
        list_id = str(found.body["list"]["listId"])
        record_ids = list(self._members(list_id))
        starts = range(0, len(record_ids), CONTACTS_PER_READ)
        emails = (
            email for start in starts for email in self._emails(record_ids[start : start + CONTACTS_PER_READ])
        )
        return ListWithMembers(list_id, name, tuple(sorted(emails)))

    def _members(self, list_id: str) -> Iterator[str]:
        after: str | None = None
        while True:
            params = {"limit": str(MEMBERS_PER_PAGE)} | ({"after": after} if after else {})
            page = self._client.get(
                f"{self._client.base('crm/lists')}/{list_id}/memberships", params=params
            ).body
            yield from (str(member["recordId"]) for member in page["results"])
            after = page.get("paging", {}).get("next", {}).get("after")
            if after is None:
                return

    def _emails(self, record_ids: list[str]) -> Iterator[str]:
        body = {"properties": ["email"], "inputs": [{"id": record_id} for record_id in record_ids]}
        answer = self._client.post(f"{self._client.base('crm/objects')}/contacts/batch/read", body).body
        for contact in answer["results"]:
            yield contact["properties"].get("email") or f"(contact {contact['id']}, without an address)"
