"""The errors that end a command of either plugin, besides those of a call to HubSpot.

HubSpotError            hubspot_singer.http's family
├── CheckTimedOut       a check of the connection had no answer in time
├── NoConsent           the OAuth app was not allowed to use a portal
├── UnreadableFile      a file that was given cannot be read, or is not JSON
├── UnwritableFile      a file that was named cannot be written
└── LacksScopes         the token lacks scopes that the settings need
SystemExit
└── RunEnded            the run ends with an exit code, and a sentence for the log
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Self

from hubspot_singer.http import HubSpotError


class CheckTimedOut(HubSpotError):
    """A check of the connection had no answer in time."""

    def __init__(self, seconds: float, waiting_for: str) -> None:
        super().__init__(
            f"The check was given up after {seconds:g} s without an answer from {waiting_for}. Check the setting, the"
            " network and any proxy."
        )


class NoConsent(HubSpotError):
    """The OAuth app was not allowed to use a portal; the text says why, and what to do."""

    @classmethod
    def refused(cls, error: str) -> Self:
        """HubSpot sent the browser back with an error, one of https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1."""
        if error == "access_denied":
            return cls(
                "The access was denied in the browser: no token was given. Run --authorize again, and allow it as a"
                " user who may install apps in the portal."
            )
        kind = error if error.isascii() and error.replace("_", "").isalpha() else "an unknown error"
        return cls(
            f"HubSpot gave no access ({kind[:60]}): check in the app's settings that it declares exactly the scopes of"
            " the address and the redirect URL, and run --authorize again."
        )

    @classmethod
    def timed_out(cls, seconds: float, redirect_url: str) -> Self:
        """No browser brought an answer."""
        return cls(
            f"No answer came to {redirect_url} within {seconds / 60:g} minutes. If HubSpot showed an error instead of"
            " asking: the app must declare exactly this redirect URL, and exactly the scopes of the address. Correct"
            " the app, or give its redirect URL with --redirect-url, and run --authorize again."
        )


class UnreadableFile(HubSpotError):
    """A file that was given cannot be read, or is not JSON; the text names it, and quotes nothing of it."""


class UnwritableFile(HubSpotError):
    """A file that was named cannot be written, or is there already; the text names it."""


class LacksScopes(HubSpotError):
    """The token lacks scopes that the settings need; the text names them."""


class RunEnded(SystemExit):
    """The run ends with this exit code; the command logs `last_words`. The SDK lets it pass."""

    def __init__(self, last_words: str, *, exit_code: int = 1) -> None:
        super().__init__(exit_code)
        self.last_words = last_words


def unexpected_error(error: BaseException, program: str) -> str:
    """Return the sentence for an error that is a bug: its kind and place. Its own text may quote a person."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    variable = f"{program.upper().replace('-', '_')}_LOGLEVEL"
    return (
        f"{type(error).__name__}{place} ended the run. This is a bug in {program}: run again with"
        f" {variable}=DEBUG, which shows the stack, and report it."
    )
