"""`--authorize`: gets the settings of an OAuth app for one portal, from the consent to the refresh token."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hubspot_singer.http import HubSpotClient
from hubspot_singer.plugin.consent import CONSENT_SECONDS, ConsentListener, ConsentRequest
from hubspot_singer.plugin.portal import missing_scopes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hubspot_singer.http import Clock, Connection
    from hubspot_singer.plugin.redirect_urls import RedirectUrl


@dataclass(frozen=True)
class Authorized:
    """The result of a consent."""

    settings: Mapping[str, str] = field(
        repr=False
    )  # the app's three settings; the plugin takes them as they are
    portal_id: int | None
    missing: tuple[str, ...] = ()  # scopes that the settings need and the consent does not include

    def as_json(self) -> str:
        """Return the settings as JSON, which `--config` takes as it is."""
        return f"{json.dumps(self.settings, indent=2)}\n"


@dataclass(frozen=True)
class Authorizing:
    """One consent of one portal to one OAuth app."""

    connection: Connection
    client_id: str
    client_secret: str = field(repr=False)
    scopes: Sequence[str]
    redirect_url: RedirectUrl
    clock: Clock
    show: Callable[[str], None]  # shows a line to the user
    seconds: float = CONSENT_SECONDS

    def run(self) -> Authorized:
        """Ask for the consent, wait for it, and exchange it for the settings.

        Raises `NoConsent`, `ConsentRejected`, or what else the call to the token endpoint ends in.
        """
        request = ConsentRequest.create(self.connection, self.client_id, self.scopes, self.redirect_url)
        listening = ConsentListener(request, self.clock, self.seconds)
        with listening, HubSpotClient(self.connection, clock=self.clock) as client:
            self.show(
                "Open this address in a browser on this machine, choose the portal and allow the access:"
                f" {request.address}"
            )
            self.show(f"Waiting for the answer at {self.redirect_url.text} (Ctrl-C ends it).")
            code = listening.wait()
            refresh_token = client.redeem(code, self.redirect_url.text)
            missing = () if client.scopes is None else tuple(missing_scopes(client.scopes, self.scopes))
            settings = {
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "refresh_token": refresh_token,
            }
            return Authorized(settings, client.portal_id, missing)
