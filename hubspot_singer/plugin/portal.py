"""Reads which portal a token belongs to, which scopes it has, and how many requests are left today."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hubspot_singer.http import (
    AccessToken,
    InvalidCredentials,
    NotFound,
    Refused,
    SettingsError,
    UnexpectedAnswer,
    parsed,
    positive_id,
)
from hubspot_singer.plugin.errors import LacksScopes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hubspot_singer.http import HubSpotClient, OAuthApp

logger = logging.getLogger(__name__)

DEFAULT_UI_DOMAIN = "app.hubspot.com"
NOT_KNOWN = "not known"
# It answers for legacy private apps alone: https://developers.hubspot.com/docs/guides/apps/private-apps/overview
TOKEN_INFO_PATH = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - a path

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
    """What HubSpot returns on the portal and the token; None for what it does not return."""

    portal_id: int | None
    ui_domain: str
    scopes: frozenset[str] | None
    daily_remaining: int | None

    def list_url(self, list_id: str) -> str | None:
        """Return the address of a list's page in HubSpot, or None where the portal is not known."""
        return (
            f"https://{self.ui_domain}/contacts/{self.portal_id}/objectLists/{list_id}"
            if self.portal_id
            else None
        )

    def describe(self, needed: Collection[str]) -> Iterator[str]:
        """Yield the lines of a connection check."""
        yield f"Portal: {self.portal_id or NOT_KNOWN}."
        if self.scopes is None:
            yield (
                f"Scopes: {NOT_KNOWN}, since HubSpot does not return them for this token; needed are "
                f"{', '.join(needed)}."
            )
        else:
            yield f"Scopes: {', '.join(needed)} are all there."
        left = NOT_KNOWN if self.daily_remaining is None else f"{self.daily_remaining:,}"
        yield f"Requests left today: {left}."


def read_portal(
    client: HubSpotClient, credentials: AccessToken | OAuthApp, needed: Collection[str]
) -> Portal:
    """Return the portal of a token, in at most two calls.

    Raises `InvalidCredentials` for a token that HubSpot does not accept, and `LacksScopes` where one of the
    needed scopes is known to be absent.
    """
    account = _read_account(client)
    # Asked after the first call, since an OAuth app's scopes come with its token.
    token = _read_token(client, credentials)
    portal_id = account.portal_id or token.portal_id
    if portal_id is None:
        logger.warning("HubSpot does not say which portal the token belongs to: %s", account.problem)
    portal = Portal(portal_id, account.ui_domain, token.scopes, client.limits.daily_remaining)
    _check_scopes(portal, needed)
    return portal


def read_portal_id(client: HubSpotClient) -> int | None:
    """Return the id of the token's portal, in at most one call; None where HubSpot does not return it."""
    return client.portal_id or _read_account(client).portal_id


@dataclass(frozen=True)
class _Account:
    portal_id: int | None
    ui_domain: str = DEFAULT_UI_DOMAIN
    problem: str = "the account's details have no portalId"

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> _Account:
        return cls(positive_id(body.get("portalId")), str(body.get("uiDomain") or DEFAULT_UI_DOMAIN))


@dataclass(frozen=True)
class _Token:
    scopes: frozenset[str] | None
    portal_id: int | None

    @classmethod
    def parse(cls, body: object) -> _Token:
        fields = body if isinstance(body, Mapping) else {}
        scopes = fields.get("scopes")
        known = frozenset(map(str, scopes)) if isinstance(scopes, list) and scopes else None
        return cls(known, positive_id(fields.get("hubId")))


def _read_account(client: HubSpotClient) -> _Account:
    """Return the account's details; portal_id is None where HubSpot refuses to return them.

    A token may lack the scope `oauth`: https://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide
    """
    try:
        return parsed(client.get(f"{client.base('account-info')}/details"), _Account.parse)
    except InvalidCredentials:
        raise
    except NotFound as absent:
        if absent.call.untried_version:
            # Every other path would be absent too, and a list that is absent is made.
            raise SettingsError(str(absent)) from absent
        return _Account(None, problem=str(absent))
    except (Refused, UnexpectedAnswer) as problem:
        return _Account(None, problem=str(problem))


def _read_token(client: HubSpotClient, credentials: AccessToken | OAuthApp) -> _Token:
    """Return what HubSpot returns on the token itself: for most kinds of static token, nothing."""
    if not isinstance(credentials, AccessToken):
        return _Token(client.scopes, client.portal_id)
    try:
        return _Token.parse(client.post(TOKEN_INFO_PATH, {"tokenKey": credentials.token}).body)
    except Refused:
        return _Token(None, None)


def missing_scopes(scopes: Collection[str], needed: Collection[str]) -> list[str]:
    """Return which of the needed scopes are not among these, also under no other name."""
    return [each for each in needed if not {each, ALIASES.get(each)} & {*scopes}]


def _check_scopes(portal: Portal, needed: Collection[str]) -> None:
    scopes = portal.scopes
    if scopes is None:
        return
    if missing := missing_scopes(scopes, needed):
        raise LacksScopes(
            f"The token of portal {portal.portal_id or NOT_KNOWN} lacks {', '.join(missing)}: grant the app these "
            "scopes in HubSpot, and take the new token or connect the app again."
        )
