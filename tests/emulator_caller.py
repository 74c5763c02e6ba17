"""Calls the emulator as any HTTP client would, for the emulator's own tests."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests

from tests.hubspot_emulator import HubSpotEmulator, Portal, StoppedClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    QueryValue = str | int | list[str]

NOW = 1_795_000_000.0  # 18 November 2026
LISTS = "/crm/lists/2026-03"
CONTACTS = "/crm/objects/2026-03/contacts"
PROPERTIES = "/crm/properties/2026-03/contacts"
EVENTS = "/email/public/v1/events"


class Caller:
    """One keep-alive connection to an emulator, with its token."""

    def __init__(self, hubspot: HubSpotEmulator, session: requests.Session) -> None:
        self.hubspot = hubspot
        self.portal = hubspot.portal
        self._session = session
        self.use(hubspot.token)

    def __call__(self, method: str, path: str, json: object = None, **query: QueryValue) -> requests.Response:
        return self._session.request(method, self.hubspot.url + path, json=json, params=query, timeout=5)

    def use(self, token: str) -> None:
        self._session.headers["Authorization"] = f"Bearer {token}"

    def form(self, path: str, **fields: str) -> requests.Response:
        return self._session.post(self.hubspot.url + path, data=fields, timeout=5)

    def press(self, path: str, **query: str) -> requests.Response:
        """Open a page as a browser does, but do not follow where it leads."""
        return self._session.get(self.hubspot.url + path, params=query, timeout=5, allow_redirects=False)

    def ok(self, method: str, path: str, json: object = None, **query: QueryValue) -> Any:
        """Give the JSON of an answer that has to be a success."""
        answer = self(method, path, json, **query)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def read_emails(self, emails: Sequence[str]) -> requests.Response:
        inputs = [{"id": email} for email in emails]
        properties = ["email", "hs_additional_emails"]
        return self(
            "POST",
            f"{CONTACTS}/batch/read",
            {"inputs": inputs, "idProperty": "email", "properties": properties},
        )

    def create(self, *contacts: dict[str, str], traced: bool = True) -> requests.Response:
        traces = [
            {"objectWriteTraceId": f"trace-{number}"} if traced else {} for number in range(len(contacts))
        ]
        inputs = [{"properties": each, **trace} for each, trace in zip(contacts, traces, strict=True)]
        return self("POST", f"{CONTACTS}/batch/create", {"inputs": inputs})

    def change(self, list_id: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> requests.Response:
        body = {"recordIdsToAdd": list(add), "recordIdsToRemove": list(remove)}
        return self("PUT", f"{LISTS}/{list_id}/memberships/add-and-remove", body)


@contextmanager
def calling(portal: Portal | None = None) -> Iterator[Caller]:
    """Run an emulator whose clock stands still, and give a caller."""
    portal = portal or Portal(clock=StoppedClock(NOW))
    with requests.Session() as session, HubSpotEmulator(portal) as hubspot:
        yield Caller(hubspot, session)
