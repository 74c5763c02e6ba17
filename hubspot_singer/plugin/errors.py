"""What ends a command of either plugin, beside what HubSpot answers.

HubSpotError            hubspot_singer.http's family
├── CheckTimedOut       a check of the connection had no answer in time
├── UnreadableFile      a file that was given cannot be read, or is not JSON
└── LacksScopes         the token lacks scopes that the settings need
SystemExit
└── RunEnded            the run ends with an exit code, and a sentence for the log
"""

from __future__ import annotations

import traceback
from pathlib import Path

from hubspot_singer.http import HubSpotError


class CheckTimedOut(HubSpotError):
    """A check of the connection had no answer in time."""

    def __init__(self, seconds: float, waiting_for: str) -> None:
        super().__init__(
            f"The check was given up after {seconds:g} s without an answer from {waiting_for}. Check the setting, the"
            " network and any proxy."
        )


class UnreadableFile(HubSpotError):
    """A file that was given cannot be read, or is not JSON; the text names it, and quotes nothing of it."""


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
