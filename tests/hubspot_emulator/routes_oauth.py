"""OAuth: access tokens for a refresh token, and what a token is.

https://developers.hubspot.com/docs/api-reference/legacy/authentication/manage-oauth-tokens
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tests.hubspot_emulator.answers import Answer, HubSpotError
from tests.hubspot_emulator.credentials import oauth_error
from tests.hubspot_emulator.routing import Routes

if TYPE_CHECKING:
    from tests.hubspot_emulator.credentials import Grant
    from tests.hubspot_emulator.routing import Call

DOCS = "https://developers.hubspot.com/docs/api-reference/2026-03/authentication/oauth-tokens"
USER_ID = 271_828

routes = Routes()


@routes(
    "POST",
    "/oauth/{version}/token",
    docs=f"{DOCS}/refresh-oauth-token",
    versions=("v1", "v3"),
    needs_token=False,
    form=True,
)
def token(call: Call) -> Answer:
    """Issue an access token for a refresh token, or for the code that the consent page gave."""
    form = _form(call)
    match form.get("grant_type"):
        case "refresh_token":
            access_token = call.oauth.refresh(*_fields(form, "client_id", "client_secret", "refresh_token"))
        case "authorization_code":
            client = _fields(form, "client_id", "client_secret")
            rest = (form.get(name, "") for name in ("code", "redirect_uri", "code_verifier"))
            access_token = call.oauth.exchange(*client, *rest)
        case _:
            raise oauth_error("unsupported_grant_type", "grant_type is not supported", "BAD_GRANT_TYPE")
    answer: dict[str, object] = {
        "access_token": access_token,
        "refresh_token": call.oauth.refresh_token,
        "expires_in": call.oauth.expires_in,
        "token_type": "bearer",
    }
    if call.version != "v1":
        answer |= {
            "token_use": "access_token",
            "hub_id": call.portal.portal_id,
            "user_id": USER_ID,
            **call.oauth.scopes_as_told(),
        }
    return Answer(200, answer)


@routes(
    "POST",
    "/oauth/{version}/token/introspect",
    docs=f"{DOCS}/token-introspect",
    needs_token=False,
    form=True,
)
def introspect(call: Call) -> Answer:
    form = _form(call)
    client_id, client_secret, asked = _fields(form, "client_id", "client_secret", "token")
    call.oauth.check_client(client_id, client_secret)
    about: dict[str, object] = {
        "token": asked,
        "active": True,
        "client_id": client_id,
        "app_id": call.oauth.app_id,
        "hub_id": call.portal.portal_id,
        "hub_domain": "example.com",
        "user_id": USER_ID,
        "user": "owner@example.com",
        **call.oauth.scopes_as_told(),
        "token_type": "bearer",
    }
    grant = call.oauth.grants.get(asked)
    if grant is not None:
        return Answer(200, about | _about_access_token(call, grant))
    if asked == call.oauth.refresh_token:
        return Answer(200, about | {"token_use": "refresh_token"})
    raise HubSpotError(404, "OBJECT_NOT_FOUND", "token not found")


@routes(
    "POST",
    "/oauth/{version}/token/revoke",
    docs="https://developers.hubspot.com/docs/api-reference/legacy/authentication/manage-oauth-tokens",
    needs_token=False,
    form=True,
)
def revoke(call: Call) -> Answer:
    client_id, client_secret, asked = _fields(_form(call), "client_id", "client_secret", "token")
    call.oauth.check_client(client_id, client_secret)
    if asked == call.oauth.refresh_token:
        call.oauth.revoke()
    return Answer(204)


def _about_access_token(call: Call, grant: Grant) -> dict[str, object]:
    expires_at = grant.expires_at or 0.0
    signed = {
        "appId": call.oauth.app_id,
        "appInstallId": "0",
        "audience": "hubapi",
        "expiresAt": int(expires_at * 1000),
        "hubId": call.portal.portal_id,
        "hublet": "na1",
        "installingUserId": USER_ID,
        "isPrivateDistribution": False,
        "isServiceAccount": False,
        "isUserLevel": False,
        "newSignature": "",
        "scopeToScopeGroupPks": "",
        "scopes": "",
        "signature": "",
        "trialScopeToScopeGroupPks": "",
        "trialScopes": "",
        "userId": USER_ID,
    }
    left = max(0, int(expires_at - call.portal.clock()))
    return {
        "token_use": "access_token",
        "active": left > 0,
        "expires_in": left,
        "is_private_distribution": False,
        "signed_access_token": signed,
    }


def _form(call: Call) -> dict[str, str]:
    """Read the form of the body; HubSpot takes nothing of it from the query."""
    return {name: values[0] for name, values in parse_qs(call.content.decode("latin-1")).items()}


def _fields(form: dict[str, str], *names: str) -> list[str]:
    for name in names:
        if not form.get(name):
            raise oauth_error("invalid_request", f"missing {name}", f"MISSING_{name.upper()}")
    return [form[name] for name in names]
