"""Which portal the credentials are of, what they may do there, and how much of the day's budget is left."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubspot_singer.http import InvalidCredentials, OAuthApp, Refused, UnexpectedAnswer, parsed
from target_hubspot_lists.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.settings import Settings

logger = logging.getLogger(__name__)

DEFAULT_UI_DOMAIN = "app.hubspot.com"
NOT_KNOWN = "not known"

# Scopes that do as well. HubSpot's pages call lists segments now, and have scopes of that name beside the old
# ones; who may read contacts may read how their properties are defined:
# https://developers.hubspot.com/docs/api-reference/legacy/crm/properties/guide
ALIASES = {
    "crm.lists.read": "crm.segments.read",
    "crm.lists.write": "crm.segments.write",
    "crm.schemas.contacts.read": "crm.objects.contacts.read",
}


@dataclass(frozen=True)
class Portal:
    """What HubSpot tells of the portal and of the token; None where it does not tell."""

    portal_id: int | None
    ui_domain: str
    scopes: frozenset[str] | None
    daily_remaining: int | None

    def list_url(self, list_id: str) -> str | None:
        """Where a person looks at a list."""
        return (
            f"https://{self.ui_domain}/contacts/{self.portal_id}/objectLists/{list_id}"
            if self.portal_id
            else None
        )

    def describe(self, needed: Collection[str]) -> Iterator[str]:
        """Yield what a connection check says."""
        yield f"Portal: {self.portal_id or NOT_KNOWN}."
        if self.scopes is None:
            yield f"Scopes: {NOT_KNOWN}, HubSpot does not tell them for this token; needed are {_names(needed)}."
        else:
            yield f"Scopes: {_names(needed)} are all there."
        left = NOT_KNOWN if self.daily_remaining is None else f"{self.daily_remaining:,}"
        yield f"Requests left today: {left}."


def needed_scopes(settings: Settings, *, to_begin: bool = False) -> list[str]:
    """The scopes that the configured features need; or `to_begin` those without which no run may begin.

    A mirror by record id that may not read contacts adds members, and removes nobody.
    """
    # Membership writes need both: https://developers.hubspot.com/docs/api-reference/latest/crm/lists/memberships
    by_email, mapped = settings.match_by == "email", bool(settings.property_mappings)
    with_properties = mapped or settings.audience_status_property
    follows_merges = settings.sync_mode == "mirror" and not to_begin
    reads_contacts = by_email or follows_merges or (mapped and settings.property_policy == "fill_empty")
    writes_contacts = with_properties or (by_email and settings.create_contacts)
    needed = {
        "crm.lists.read": True,
        "crm.lists.write": not settings.dry_run,
        "crm.objects.contacts.read": reads_contacts,
        "crm.objects.contacts.write": writes_contacts and not settings.dry_run,
        "crm.schemas.contacts.read": with_properties,
        "crm.schemas.contacts.write": settings.audience_status_property and not settings.dry_run,
    }
    return [scope for scope, is_needed in needed.items() if is_needed]


def check_connection(client: HubSpotClient, settings: Settings, needed: Collection[str]) -> Portal:
    """Ask HubSpot whose token this is, in two calls; raise if it is not valid or lacks a scope that is needed."""
    portal_id, ui_domain, daily_remaining = _account(client)
    scopes = _scopes(client, settings)
    missing = [] if scopes is None else [each for each in needed if not scopes & {each, ALIASES.get(each)}]
    if missing:
        raise TargetError(
            f"The token of portal {portal_id or NOT_KNOWN} lacks {_names(missing)}: grant the app these scopes "
            "in HubSpot, and take the new token or connect the app again."
        )
    return Portal(portal_id, ui_domain, scopes, daily_remaining)


def _account(client: HubSpotClient) -> tuple[int | None, str, int | None]:
    # https://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide
    try:
        portal_id, ui_domain = parsed(client.get(f"{client.base('account-info')}/details"), _portal)
    except InvalidCredentials:
        raise
    except (Refused, UnexpectedAnswer) as problem:
        logger.warning("HubSpot does not say which portal this is: %s", problem)
        portal_id, ui_domain = None, DEFAULT_UI_DOMAIN
    return portal_id, ui_domain, client.limits.daily_remaining


def _portal(body: Mapping[str, Any]) -> tuple[int | None, str]:
    portal_id = body.get("portalId")
    return int(portal_id) if portal_id else None, str(body.get("uiDomain") or DEFAULT_UI_DOMAIN)


def _scopes(client: HubSpotClient, settings: Settings) -> frozenset[str] | None:
    """The token's scopes, or None where HubSpot does not tell them: that is no reason to end the run."""
    credentials = settings.connection.credentials
    if isinstance(credentials, OAuthApp):
        return client.scopes
    try:
        # Legacy private apps alone: https://developers.hubspot.com/docs/guides/apps/private-apps/overview
        body = client.post(
            "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": credentials.token}
        ).body
    except Refused:
        return None
    scopes = body.get("scopes") if isinstance(body, dict) else None
    return frozenset(map(str, scopes)) if isinstance(scopes, list) and scopes else None


def _names(scopes: Collection[str]) -> str:
    return ", ".join(scopes)
