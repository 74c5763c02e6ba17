"""Replaces tokens, secrets and email addresses in texts that logs and errors show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

EMAIL = "<email>"
TOKEN = "<token>"  # noqa: S105 - what stands where a token was
SECRET = "<secret>"  # noqa: S105 - what stands where a secret was

_LOCAL_PART = r"[^\s\"<>()\[\],;:@\uff20\ufe6b/?&=]"
# The at sign, also as a URL has it, and the two that look like it: a full-width and a small one.
_AT = r"(?:[@\uff20\ufe6b]|%40|%ef%bc%a0|%ef%b9%ab)"
_DOMAIN = r"(?:[\w%-]+(?:\.[\w%-]+)*)?"
# At most 64 characters before the at sign: https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.1
_QUOTED = r"\"(?:[^\"\\]|\\.){1,64}?\\?\""
_PEOPLE = re.compile(
    # A URL's user and password, which are no address; the host is shown.
    r"(?<![\w+.-])(?P<url>[a-z][a-z0-9+.-]{0,30}://)(?P<user>[^\s/:@\"']{0,200}):(?P<password>[^\s\"'<>]{0,200})@"
    # The look-behind starts a match only where a word starts, so that long text costs linear time.
    rf"|(?:{_QUOTED}|(?<!{_LOCAL_PART}){_LOCAL_PART}*){_AT}{_DOMAIN}",
    re.IGNORECASE,
)
# The placeholders in advice on how to write a URL.
_EXAMPLE_LOGIN = ("user", "password")
# Private app tokens and service keys: https://developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview
_TOKEN = re.compile(r"\bpat-[\w-]+", re.IGNORECASE)
_BEARER = re.compile(r"\b(bearer\s+)[^\s\"',;]+", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"\b((?:access_token|refresh_token|client_secret|hapikey)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;]+",
    re.IGNORECASE,
)


def redact(text: str, *, secrets: Iterable[str] = ()) -> str:
    """Return the text with placeholders for the given secrets, whatever looks like a token, and email addresses."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, SECRET)
    text = _BEARER.sub(rf"\1{TOKEN}", text)
    text = _ASSIGNED.sub(rf"\1{SECRET}", text)
    text = _TOKEN.sub(TOKEN, text)
    return _PEOPLE.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    """Return the placeholder for an address, or for a URL's user and password."""
    if found["url"] is None:
        return EMAIL
    if (found["user"], found["password"]) == _EXAMPLE_LOGIN:
        return found[0]
    return f"{found['url']}{_PEOPLE.sub(_hidden, found['user'])}:{SECRET}@"


class Redactor:
    """Redacts with the secrets of one connection, and with the tokens that HubSpot issues during the run."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = frozenset(secret for secret in secrets if secret)

    def add(self, secret: str) -> None:
        """Redact this secret, too, from now on."""
        self._secrets |= {secret}

    def __call__(self, text: str) -> str:
        """Return the text with placeholders for secrets, tokens and email addresses."""
        return redact(text, secrets=self._secrets)
