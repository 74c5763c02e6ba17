"""Takes tokens, secrets and email addresses out of text before anybody reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

EMAIL = "<email>"
TOKEN = "<token>"  # noqa: S105 - what stands where a token was
SECRET = "<secret>"  # noqa: S105 - what stands where a secret was

_LOCAL_PART = r"[^\s\"<>()\[\],;:@/?&=]"
# The look-behind starts a match only where a word starts, so that long text costs linear time.
_EMAIL = re.compile(rf"(?<!{_LOCAL_PART}){_LOCAL_PART}*(?:@|%40)(?:[\w%-]+(?:\.[\w%-]+)*)?", re.IGNORECASE)
# Private app tokens and service keys: https://developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview
_TOKEN = re.compile(r"\bpat-[\w-]+", re.IGNORECASE)
_BEARER = re.compile(r"\b(bearer\s+)[^\s\"',;]+", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"\b((?:access_token|refresh_token|client_secret|hapikey)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;]+",
    re.IGNORECASE,
)


def redact(text: str, *, secrets: Iterable[str] = ()) -> str:
    """Return the text with placeholders for the secrets given, anything like a token, and email addresses."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, SECRET)
    text = _BEARER.sub(rf"\1{TOKEN}", text)
    text = _ASSIGNED.sub(rf"\1{SECRET}", text)
    text = _TOKEN.sub(TOKEN, text)
    return _EMAIL.sub(EMAIL, text)


class Redactor:
    """Redacts with the secrets of one connection, among them tokens that HubSpot hands out during the run."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = frozenset(secret for secret in secrets if secret)

    def add(self, secret: str) -> None:
        """Redact this secret too from now on."""
        self._secrets |= {secret}

    def __call__(self, text: str) -> str:
        """Return the text without what must not be read."""
        return redact(text, secrets=self._secrets)
