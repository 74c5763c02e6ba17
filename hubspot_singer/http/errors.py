"""The errors that a call to HubSpot can end in, named by what to do next.

HubSpotError
├── SettingsError           correct the setting it names
├── Refused                 HubSpot understood the request and refuses it: sending it again changes nothing
│   ├── InvalidRequest      400: something in the request is wrong
│   ├── InvalidCredentials  401: renew the credentials
│   ├── MissingScopes       403: grant the app the scopes it names
│   ├── NotFound            404
│   ├── Conflict            409: it exists already, or is being changed by another request
│   ├── TooLarge            413: send less in one request
│   └── ServerError         500, 520: HubSpot failed on this request, at each try
├── UnexpectedAnswer        a 2xx answer in a form that HubSpot does not document
├── Unavailable             retrying was given up, after ten minutes at most: run again later
│   └── TooSlow             time-outs: send or ask for less in one request
├── RetryTooFar             HubSpot's Retry-After is longer than a request is retried for
├── DailyLimitReached       the portal's daily limit of requests is used up
├── RefreshTokenRejected    connect the OAuth app again
├── ConsentRejected         allow the OAuth app once more
└── Stopped                 the run was told to stop

The text of each is one line without tokens, secrets, email addresses or bodies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hubspot_singer.http.answers import ErrorBody
from hubspot_singer.http.calls import describe_error, reference
from hubspot_singer.http.retries import RETRY_FOR_SECONDS, SERVER_ERROR_TRIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hubspot_singer.http.answers import Answer, ErrorDetail
    from hubspot_singer.http.calls import Call
    from hubspot_singer.http.retries import Problem

STATUS_PAGE = "https://status.hubspot.com"


class HubSpotError(Exception):
    """The base class of all errors that end a call to HubSpot, or a run of a plugin."""


class SettingsError(HubSpotError):
    """A setting is wrong. The text says which one, and what to do."""


class Stopped(HubSpotError):
    """A stop was requested, for example by a signal: no other request is sent."""

    def __init__(self) -> None:
        super().__init__("The run was told to stop: no other request is sent to HubSpot.")


class Refused(HubSpotError):
    """HubSpot refuses the request with a status that is not retried.

    `message`, `errors` and `context` are HubSpot's own and not redacted: for report files only.
    """

    next_step: ClassVar[str] = (
        "Sending it again changes nothing; HubSpot's support can look up the correlation id."
    )

    def __init__(self, call: Call, status: int, body: ErrorBody | None = None, *, tries: int = 1) -> None:
        self.call = call
        # If it was sent more than once, an earlier try may have taken effect, its answer lost.
        self.tries = tries
        self.body = body or ErrorBody()
        self.method = call.method
        self.path = call.path
        self.status = status
        super().__init__(f"{call} was answered {describe_error(call, status, self.body)}. {self.what_next()}")

    def what_next(self) -> str:
        """Return what the user can do."""
        return _NEXT_STEPS.get(self.status, self.next_step)

    @property
    def category(self) -> str | None:
        """HubSpot's word for the kind of error."""
        return self.body.category

    @property
    def sub_category(self) -> str | None:
        """HubSpot's finer word for it."""
        return self.body.sub_category

    @property
    def message(self) -> str | None:
        """HubSpot's message, unredacted."""
        return self.body.message

    @property
    def correlation_id(self) -> str | None:
        """The id by which HubSpot's support finds the request."""
        return self.body.correlation_id

    @property
    def errors(self) -> tuple[ErrorDetail, ...]:
        """HubSpot's single errors, unredacted."""
        return self.body.errors

    @property
    def context(self) -> Mapping[str, tuple[str, ...]]:
        """The values that HubSpot's message refers to, by name, unredacted."""
        return self.body.context


class InvalidRequest(Refused):
    """The request is not valid (400)."""

    next_step = "Correct what HubSpot names."


class InvalidCredentials(Refused):
    """HubSpot does not accept the token (401)."""

    next_step = "Check that the credentials are current, complete and of this portal."


class MissingScopes(Refused):
    """The token lacks a scope (403 `MISSING_SCOPES`)."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that HubSpot names as required; empty if it names none."""
        contexts = [self.context, *(error.context for error in self.errors)]
        names = (name for context in contexts for key in _SCOPE_KEYS for name in context.get(key, ()))
        return tuple(dict.fromkeys(names))

    def what_next(self) -> str:
        """Return what the user can do, with the scopes."""
        scopes = (
            self.call.safe_text(", ".join(self.scopes))
            or "that this endpoint's page in HubSpot's documentation names"
        )
        return f"Grant the app the scopes {scopes}, and take the new token or connect the app again."


class NotFound(Refused):
    """The path or the object does not exist (404)."""

    next_step = "Check that it was not deleted and that the credentials are of the right portal."

    def what_next(self) -> str:
        """Return what the user can do; HubSpot may not have the API version of the path."""
        version = self.call.untried_version
        if not version or version not in self.path:
            return super().what_next()
        return f"HubSpot may not have API version {version} yet: check api_version. {super().what_next()}"


class Conflict(Refused):
    """The object exists already, or is being changed by another request (409)."""

    next_step = "Check what exists in HubSpot already."


class TooLarge(Refused):
    """The request is larger than HubSpot accepts (413)."""

    next_step = "Send less in one request."


class ServerError(Refused):
    """HubSpot (500) or its CDN (520) failed on the request, at each try."""

    next_step = "HubSpot failed on this request: run again later, or show its support the correlation id."


class UnexpectedAnswer(HubSpotError):
    """A 2xx answer lacks what HubSpot documents, or has it in another form. It is neither success nor failure."""

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.correlation_id = answer.correlation_id
        super().__init__(
            f"{answer.asked} was answered {answer.status} in a form that HubSpot does not document"
            f"{reference(answer.correlation_id)}: it is not used. Run again later; if it happens again, show HubSpot's "
            "support the correlation id, and check api_url."
        )


class Unavailable(HubSpotError):
    """The request failed at each try, and retrying was given up. `seconds` since the first try."""

    def __init__(
        self, call: Call, problem: Problem, *, tries: int, seconds: float, next_step: str = ""
    ) -> None:
        self.method = call.method
        self.path = call.path
        self.status = problem.status
        self.tries = tries
        self.seconds = seconds
        step = next_step or _next_step_after(problem)
        super().__init__(
            f"{call} was given up after {_counted(tries)} in {seconds:.0f} s: "
            f"{call.safe_text(str(problem))}. {step}"
        )


class TooSlow(Unavailable):
    """The request timed out, or was answered 524, as often as the caller allows."""


class RetryTooFar(HubSpotError):
    """HubSpot's Retry-After is longer than a request is retried for. `until` is the time that it names."""

    def __init__(
        self,
        call: Call,
        problem: Problem,
        *,
        seconds: float,
        until: datetime,
        retry_for: float = RETRY_FOR_SECONDS,
    ) -> None:
        self.method = call.method
        self.path = call.path
        self.status = problem.status
        self.until = until
        super().__init__(
            f"{call}: {call.safe_text(str(problem))}, and HubSpot asks to wait {seconds:.0f} s, "
            f"longer than the {retry_for:.0f} s for which a request is retried. "
            f"Run again after {until:%Y-%m-%d %H:%M} UTC."
        )


class DailyLimitReached(HubSpotError):
    """The portal's daily limit of requests is used up (429 `DAILY`)."""

    def __init__(self, call: Call, body: ErrorBody, *, resets_at: datetime | None = None) -> None:
        self.method = call.method
        self.path = call.path
        self.correlation_id = body.correlation_id
        self.resets_at = resets_at
        when = f"at {resets_at:%Y-%m-%d %H:%M} UTC" if resets_at else "at midnight in the portal's time zone"
        super().__init__(
            f"The portal's daily limit of requests is reached: {call} was answered {describe_error(call, 429, body)}. "
            f"It is reset {when}; run again then."
        )


class RefreshTokenRejected(HubSpotError):
    """HubSpot refuses to give the OAuth app an access token."""

    def __init__(self, refused: Refused) -> None:
        self.status = refused.status
        self.category = refused.category
        self.correlation_id = refused.correlation_id
        super().__init__(_no_token(refused, _RECONNECT))


class ConsentRejected(HubSpotError):
    """HubSpot refuses to give the OAuth app its first tokens for the code of a consent."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(_no_token(refused, _CONSENT_AGAIN))


def refusal(call: Call, status: int, body: ErrorBody, *, tries: int = 1) -> Refused:
    """Return the error for a status that is not retried."""
    if status == 403:  # noqa: PLR2004 - an HTTP status
        scoped = body.category == "MISSING_SCOPES" or any(key in body.context for key in _SCOPE_KEYS)
        return (MissingScopes if scoped else Refused)(call, status, body, tries=tries)
    return _REFUSALS.get(status, Refused)(call, status, body, tries=tries)


def _no_token(refused: Refused, otherwise: str) -> str:
    """Return why HubSpot gives no token and what to do: the step of its category, or else the given one."""
    step = _TOKEN_STEPS.get(refused.category or "", otherwise)
    answer = describe_error(refused.call, refused.status, refused.body)
    return f"HubSpot gives no access token: {refused.call} was answered {answer}. {step}"


def _next_step_after(problem: Problem) -> str:
    if problem.is_limit:
        return "Another tool uses up the portal's rate limit: find it, or run again later."
    if problem.status:
        return f"Run again later; {STATUS_PAGE} shows HubSpot's status."
    return "Check the network, any proxy and api_url, then run again."


def _counted(tries: int) -> str:
    return "1 try" if tries == 1 else f"{tries} tries"


_SCOPE_KEYS = ("requiredGranularScopes", "requiredScopes")
_REFUSALS: Mapping[int, type[Refused]] = {
    400: InvalidRequest,
    401: InvalidCredentials,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    **dict.fromkeys(SERVER_ERROR_TRIES, ServerError),
}
# https://developers.hubspot.com/docs/api-reference/error-handling
_NEXT_STEPS: Mapping[int, str] = {
    403: "Check that the app and, with user rights, its user may do this in the portal.",
    414: "Use a shorter name or fewer ids in one request.",
    525: "The TLS connection failed on HubSpot's side: ask HubSpot's support.",
    526: "The TLS connection failed on HubSpot's side: ask HubSpot's support.",
    530: "Check that the access token is complete: HubSpot could not find its portal.",
    **dict.fromkeys(
        range(300, 400),
        "Redirects are not followed, so that the token is not sent to another host: check api_url.",
    ),
}
_CONSENT_AGAIN = (
    "Run --authorize again, and allow the access without delay: a code is valid once, and for a short time."
)
_RECONNECT = "Connect the app to the portal again and set the refresh_token that it is given."
_TOKEN_STEPS: Mapping[str, str] = {
    "BAD_CLIENT_ID": "Check client_id: HubSpot knows no such app.",
    "BAD_CLIENT_SECRET": "Check client_secret: it is not this app's.",
    "invalid_client": "Check client_id and client_secret.",
    "MISMATCH_REDIRECT_URI_AUTH_CODE": "Check that the redirect URL is one that the app declares.",
    "BAD_HUB": "Check that the app may be used in this portal.",
}
