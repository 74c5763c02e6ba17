"""Everything that ends a call to HubSpot, named by what to do next.

HubSpotError
├── SettingsError           correct the setting it names
├── Refused                 HubSpot understood and says no: asking again changes nothing
│   ├── InvalidRequest      400: something in the request is wrong
│   ├── InvalidCredentials  401: renew the credentials
│   ├── MissingScopes       403: grant the app the scopes it names
│   ├── NotFound            404
│   ├── Conflict            409: it is there already, or somebody else changes it
│   ├── TooLarge            413: ask for less at once
│   └── ServerError         500, 520: HubSpot failed over this request, as often as it was tried
├── UnexpectedAnswer        HubSpot says yes in a form that it does not document: nothing is concluded
├── Unavailable             HubSpot did not answer for ten minutes: run again later
│   └── TooSlow             HubSpot takes too long over this request: ask for less at once
├── RetryTooFar             HubSpot wants to be left alone for longer than a run waits
├── DailyLimitReached       the portal's requests of the day are spent
├── RefreshTokenRejected    reconnect the OAuth app
└── Stopped                 the run was told to stop

The text of each is one line that shows no token, no secret, no email address and no body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hubspot_singer.http.answers import ErrorBody
from hubspot_singer.http.calls import reference, said
from hubspot_singer.http.retries import RETRY_FOR_SECONDS, SERVER_ERROR_TRIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hubspot_singer.http.answers import Answer, ErrorDetail
    from hubspot_singer.http.calls import Call
    from hubspot_singer.http.retries import Problem

STATUS_PAGE = "https://status.hubspot.com"


class HubSpotError(Exception):
    """Whatever ends a call to HubSpot."""


class SettingsError(HubSpotError):
    """A setting is wrong: the text says which, and what to do."""


class Stopped(HubSpotError):
    """The run was told to stop, so nothing else is sent."""

    def __init__(self) -> None:
        super().__init__("The run was told to stop: nothing else is sent to HubSpot.")


class Refused(HubSpotError):
    """HubSpot says no. `message` is HubSpot's own, unredacted: for report files only."""

    next_step: ClassVar[str] = (
        "Asking again changes nothing; HubSpot's support can look up the correlation id."
    )

    def __init__(self, call: Call, status: int, body: ErrorBody | None = None, *, tries: int = 1) -> None:
        self.call = call
        self.tries = (
            tries  # how often it was sent: an earlier try may have taken effect, and its answer been lost
        )
        self.body = body or ErrorBody()
        self.method = call.method
        self.path = call.path
        self.status = status
        super().__init__(f"{call} was answered {said(call, status, self.body)}. {self.what_next()}")

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
        """HubSpot's reference of the request."""
        return self.body.correlation_id

    @property
    def errors(self) -> tuple[ErrorDetail, ...]:
        """HubSpot's single reasons, unredacted."""
        return self.body.errors

    @property
    def context(self) -> Mapping[str, tuple[str, ...]]:
        """What HubSpot's message is about, unredacted."""
        return self.body.context


class InvalidRequest(Refused):
    """HubSpot finds something wrong in the request (400)."""

    next_step = "Correct what HubSpot names."


class InvalidCredentials(Refused):
    """HubSpot does not accept the token (401)."""

    next_step = "Check that the credentials are current, complete and of this portal."


class MissingScopes(Refused):
    """The app may not do this (403 `MISSING_SCOPES`)."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes HubSpot asks for, if it names them."""
        contexts = [self.context, *(error.context for error in self.errors)]
        names = (name for context in contexts for key in _SCOPE_KEYS for name in context.get(key, ()))
        return tuple(dict.fromkeys(names))

    def what_next(self) -> str:
        """Name the scopes."""
        scopes = (
            self.call.shortened(", ".join(self.scopes))
            or "that this endpoint's page in HubSpot's documentation names"
        )
        return f"Grant the app the scopes {scopes}, and take the new token or connect the app again."


class NotFound(Refused):
    """HubSpot has no such thing (404)."""

    next_step = "Check that it was not deleted and that the credentials are of the right portal."

    def what_next(self) -> str:
        """Say first that HubSpot may not have the API version of the path."""
        version = self.call.untried_version
        if not version or version not in self.path:
            return super().what_next()
        return f"HubSpot may not have API version {version} yet: check api_version. {super().what_next()}"


class Conflict(Refused):
    """It is there already, or somebody else is changing it (409)."""

    next_step = "Look at what is there already."


class TooLarge(Refused):
    """The request is larger than HubSpot takes (413)."""

    next_step = "Send less at once."


class ServerError(Refused):
    """HubSpot (500) or its CDN (520) failed over the request, as often as it was tried."""

    next_step = "HubSpot failed over this request: run again later, or show its support the correlation id."


class UnexpectedAnswer(HubSpotError):
    """HubSpot accepted the request, and its answer does not say what its documentation promises."""

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.correlation_id = answer.correlation_id
        super().__init__(
            f"{answer.asked} was answered {answer.status} in a form that HubSpot does not document"
            f"{reference(answer.correlation_id)}: nothing is concluded from it. Run again later; if it stays so, show "
            "HubSpot's support the correlation id, and check api_url."
        )


class Unavailable(HubSpotError):
    """HubSpot could not be had: retrying was given up."""

    def __init__(
        self, call: Call, problem: Problem, *, tries: int, seconds: float, next_step: str = ""
    ) -> None:
        self.method = call.method
        self.path = call.path
        self.status = problem.status
        self.tries = tries
        self.seconds = seconds
        step = next_step or _step_after(problem)
        super().__init__(
            f"{call} was given up after {_counted(tries)} in {seconds:.0f} s: "
            f"{call.shortened(str(problem))}. {step}"
        )


class TooSlow(Unavailable):
    """HubSpot took longer over this request than it or we allow, as often as the caller would bear."""


class RetryTooFar(HubSpotError):
    """HubSpot asked for a pause that is longer than a run waits."""

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
            f"{call}: {call.shortened(str(problem))}, and HubSpot asks for a pause of {seconds:.0f} s, "
            f"beyond the {retry_for:.0f} s that a request is tried for. "
            f"Run again after {until:%Y-%m-%d %H:%M} UTC."
        )


class DailyLimitReached(HubSpotError):
    """The portal has no request left today."""

    def __init__(self, call: Call, body: ErrorBody, *, resets_at: datetime | None = None) -> None:
        self.method = call.method
        self.path = call.path
        self.correlation_id = body.correlation_id
        self.resets_at = resets_at
        when = f"at {resets_at:%Y-%m-%d %H:%M} UTC" if resets_at else "at midnight in the portal's time zone"
        super().__init__(
            f"The portal's daily limit of requests is reached: {call} was answered {said(call, 429, body)}. "
            f"It is reset {when}; run again then."
        )


class RefreshTokenRejected(HubSpotError):
    """HubSpot gives this OAuth app no access token."""

    def __init__(self, refused: Refused) -> None:
        self.status = refused.status
        self.category = refused.category
        self.correlation_id = refused.correlation_id
        step = _TOKEN_STEPS.get(refused.category or "", _RECONNECT)
        super().__init__(
            f"HubSpot gives no access token: {refused.call} was answered "
            f"{said(refused.call, refused.status, refused.body)}. {step}"
        )


def refusal(call: Call, status: int, body: ErrorBody, *, tries: int = 1) -> Refused:
    """Return the error for a status that asking again does not change."""
    if status == 403:  # noqa: PLR2004 - one of many statuses, which are words of their own
        scoped = body.category == "MISSING_SCOPES" or any(key in body.context for key in _SCOPE_KEYS)
        return (MissingScopes if scoped else Refused)(call, status, body, tries=tries)
    return _REFUSALS.get(status, Refused)(call, status, body, tries=tries)


def _step_after(problem: Problem) -> str:
    if problem.is_limit:
        return "Something else uses up the portal's limit: find it, or run again later."
    if problem.status:
        return f"Run again later; {STATUS_PAGE} tells how HubSpot is."
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
    414: "Use a shorter name or fewer ids in one address.",
    525: "The TLS connection failed on HubSpot's side: ask HubSpot's support.",
    526: "The TLS connection failed on HubSpot's side: ask HubSpot's support.",
    530: "Check that the access token is complete: HubSpot could not tell whose it is.",
    **dict.fromkeys(
        range(300, 400), "No redirect is followed, it could lead the token astray: check api_url."
    ),
}
_RECONNECT = "Connect the app to the portal again and set the refresh_token that it is given."
_TOKEN_STEPS: Mapping[str, str] = {
    "BAD_CLIENT_ID": "Check client_id: HubSpot knows no such app.",
    "BAD_CLIENT_SECRET": "Check client_secret: it is not this app's.",
    "invalid_client": "Check client_id and client_secret.",
    "BAD_HUB": "Check that the app may be used in this portal.",
}
