"""Bearer tokens: static ones, and those that an OAuth app gets for its refresh token."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import HubSpotError
from tests.hubspot_emulator.consents import Consents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

ALL_SCOPES = frozenset(
    {
        "content",
        "crm.lists.read",
        "crm.lists.write",
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.schemas.contacts.read",
        "crm.schemas.contacts.write",
        "oauth",
    }
)

# Seconds an access token lives: https://developers.hubspot.com/docs/api-reference/legacy/authentication/manage-oauth-tokens
OAUTH_TOKEN_LIFE = 1800


@dataclass(frozen=True, slots=True)
class Grant:
    """What a bearer token may do, and whose budget it spends."""

    app: str  # a static token is its own app; all access tokens of an OAuth app share one
    scopes: frozenset[str]
    expires_at: float | None = None  # epoch seconds; static tokens do not expire

    @property
    def is_static(self) -> bool:
        return self.expires_at is None


@dataclass
class OAuthApp:
    """An OAuth app installed in the portal; its fields may be changed at any time."""

    portal_id: int
    clock: Callable[[], float]
    client_id: str = "0d1e2f3a-client"
    client_secret: str = "5b6c7d8e-secret"
    refresh_token: str = "na1-refresh-token"
    app_id: int = 314_159
    scopes: frozenset[str] = ALL_SCOPES
    required_scopes: frozenset[str] = frozenset({"oauth"})  # those that every consent has to include
    redirect_uris: frozenset[str] | None = None  # those configured for the app; None: any that HubSpot allows
    consents: Consents = field(default_factory=Consents)
    told_scopes: str = "listed"  # in answers about tokens: "listed", "empty" (an empty array) or "absent"
    expires_in: int = OAUTH_TOKEN_LIFE
    rotates: bool = False  # hand out a new refresh token at each refresh; the old one is dead at once
    consented: frozenset[str] | None = None  # the scopes of the last consent; None before the first
    issued: int = 0
    grants: dict[str, Grant] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def refresh(self, client_id: str, client_secret: str, refresh_token: str) -> str:
        """Issue an access token, or refuse as HubSpot's token endpoint does."""
        self.check_client(client_id, client_secret)
        with self.lock:
            if refresh_token != self.refresh_token:
                raise bad_grant()
            return self._issue(self.consented if self.consented is not None else self.scopes)

    def exchange(
        self, client_id: str, client_secret: str, code: str, redirect_uri: str, code_verifier: str
    ) -> str:
        """Issue an access token for the code of a consent, or refuse as HubSpot's token endpoint does."""
        self.check_client(client_id, client_secret)
        with self.lock:
            consent = self.consents.take(code, self.clock())
            if consent is None or not consent.is_proven_by(code_verifier):
                raise oauth_error("invalid_grant", "missing or unknown auth code", "BAD_AUTH_CODE")
            if redirect_uri != consent.redirect_uri:
                message = "redirect_uri does not match the one that the code was asked for"
                raise oauth_error("invalid_grant", message, "MISMATCH_REDIRECT_URI_AUTH_CODE")
            self.consented = consent.scopes
            return self._issue(consent.scopes)

    def scopes_as_told(self) -> dict[str, object]:
        """Return the field `scopes` as answers about tokens have it; it may be empty, or not be there."""
        scopes = self.consented if self.consented is not None else self.scopes
        told: dict[str, dict[str, object]] = {"listed": {"scopes": sorted(scopes)}, "empty": {"scopes": []}}
        return told.get(self.told_scopes, {})

    def _issue(self, scopes: frozenset[str]) -> str:
        if self.rotates:
            self.refresh_token = f"na1-{secrets.token_hex(8)}"
        self.issued += 1
        token = f"CAT-{self.issued}-{secrets.token_urlsafe(180)}"  # HubSpot: allow for 512 characters
        self.grants[token] = Grant(self.client_id, scopes, self.clock() + self.expires_in)
        return token

    def check_client(self, client_id: str, client_secret: str) -> None:
        if client_id != self.client_id:
            raise oauth_error("invalid_client", "missing or invalid client id", "BAD_CLIENT_ID")
        if client_secret != self.client_secret:
            raise oauth_error("invalid_client", "missing or invalid client secret", "BAD_CLIENT_SECRET")

    def revoke(self) -> None:
        """Uninstall the app: its refresh token and every access token are dead."""
        with self.lock:
            self.refresh_token = f"revoked-{secrets.token_hex(8)}"
            self.grants.clear()

    def expire_access_tokens(self) -> None:
        """Forget every access token, so that the next call with one is a 401."""
        with self.lock:
            self.grants.clear()


class Credentials:
    """Every token that the portal takes."""

    def __init__(self, tokens: Mapping[str, Iterable[str]], oauth: OAuthApp) -> None:
        self.static = {token: Grant(token, frozenset(scopes)) for token, scopes in tokens.items()}
        self.oauth = oauth

    def grant(self, authorization: str | None, now: float) -> Grant:
        """Give the token's grant; without a valid one, 401."""
        scheme, _, token = (authorization or "").partition(" ")
        grant = self.static.get(token) or self.oauth.grants.get(token)
        if scheme.lower() != "bearer" or grant is None:
            raise HubSpotError(
                401,
                "INVALID_AUTHENTICATION",
                "Authentication credentials not found. This API supports OAuth 2.0 authentication and you "
                "can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            )
        if grant.expires_at is not None and now >= grant.expires_at:
            raise HubSpotError(
                401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired"
            )
        return grant


def check_scopes(grant: Grant, alternatives: Sequence[Sequence[str]]) -> None:
    """Refuse with 403, naming what the token lacks of the first alternative."""
    if not alternatives or any(grant.scopes.issuperset(scopes) for scopes in alternatives):
        return
    lacking = sorted(set(alternatives[0]) - grant.scopes)
    message = "One or more of the following scopes are required."
    raise HubSpotError(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes "
        "here: https://developers.hubspot.com/scopes.",
        errors=[{"message": message, "context": {"requiredGranularScopes": lacking}}],
    )


def oauth_error(error: str, description: str, status: str) -> HubSpotError:
    more = {"error": error, "error_description": description, "status": status}
    return HubSpotError(400, "BAD_REQUEST", description, more=more)


def bad_grant() -> HubSpotError:
    return oauth_error("invalid_grant", "refresh token is invalid, expired or revoked", "BAD_REFRESH_TOKEN")
