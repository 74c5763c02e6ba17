"""What users of the portal consented to: codes that an app changes for its first tokens, once and soon.

https://developers.hubspot.com/docs/api-reference/legacy/authentication/manage-oauth-tokens
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

CODE_LIFE = 60  # seconds; that a code is short-lived is documented, the figure is a guess


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user allowed an app, and where the browser was sent with the code."""

    redirect_uri: str
    scopes: frozenset[str]
    expires_at: float  # epoch seconds
    code_challenge: str | None = None  # of PKCE, method S256: https://www.rfc-editor.org/rfc/rfc7636

    def is_proven_by(self, code_verifier: str) -> bool:
        if self.code_challenge is None:
            return True
        digest = sha256(code_verifier.encode()).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode() == self.code_challenge


class Consents:
    """The codes that were given out and not changed yet."""

    def __init__(self) -> None:
        self._by_code: dict[str, Consent] = {}

    def add(self, consent: Consent) -> str:
        """Remember a consent and return its code."""
        code = f"na1-{secrets.token_hex(16)}"
        self._by_code[code] = consent
        return code

    def take(self, code: str, now: float) -> Consent | None:
        """Return the consent of a code; None if there is none, it was taken before, or its time is over."""
        consent = self._by_code.pop(code, None)
        return None if consent is None or now >= consent.expires_at else consent
