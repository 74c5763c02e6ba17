"""Which properties of a contact say whether HubSpot mails it, and what they say together. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_hubspot_lists.outcomes import Mailability

if TYPE_CHECKING:
    from collections.abc import Mapping

OPT_OUT = "hs_email_optout"
BAD_ADDRESS = "hs_email_bad_address"
HARD_BOUNCE = "hs_email_hard_bounce_reason_enum"
QUARANTINED = "hs_email_quarantined"
INELIGIBLE = "hs_email_is_ineligible"
MARKETABLE = "hs_marketable_status"
# Properties of contacts that HubSpot defines: https://knowledge.hubspot.com/properties/hubspots-default-contact-properties
MAILABILITY_PROPERTIES = (OPT_OUT, BAD_ADDRESS, HARD_BOUNCE, QUARANTINED, INELIGIBLE, MARKETABLE)


def mailability_of(properties: Mapping[str, object]) -> Mailability:
    """Return the first obstacle that holds, in the order of `Mailability`, or that there is none.

    A property that the portal lacks, that the answer lacks, or that is null or odd, is no obstacle.
    """
    obstacles = {
        Mailability.OPTED_OUT: _says(properties, OPT_OUT, "true"),
        Mailability.BAD_ADDRESS: _says(properties, BAD_ADDRESS, "true"),
        Mailability.HARD_BOUNCED: bool(_text(properties, HARD_BOUNCE)),  # any reason
        Mailability.QUARANTINED: _says(properties, QUARANTINED, "true"),
        Mailability.INELIGIBLE: _says(properties, INELIGIBLE, "true"),
        # Portals without marketing contacts have no value here.
        Mailability.NOT_MARKETING: _says(properties, MARKETABLE, "false"),
    }
    return next((each for each, holds in obstacles.items() if holds), Mailability.MAILABLE)


def _says(properties: Mapping[str, object], name: str, word: str) -> bool:
    """Whether a property says yes or no; HubSpot writes booleans as text."""
    value = properties.get(name)
    return (str(value) if isinstance(value, bool) else _text(properties, name)).lower() == word


def _text(properties: Mapping[str, object], name: str) -> str:
    value = properties.get(name)
    return value.strip() if isinstance(value, str) else ""
