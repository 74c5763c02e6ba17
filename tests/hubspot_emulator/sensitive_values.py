"""Who may read and write the values of sensitive properties.

https://developers.hubspot.com/docs/api-reference/latest/crm/properties/sensitive-data
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hubspot_emulator.credentials import check_scopes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.hubspot_emulator.routing import Call


def check_sensitive(call: Call, properties: Iterable[str], access: str) -> None:
    """Refuse with 403 where a token lacks the scope to read or write the values of one of these properties.

    That the whole call is refused, and not only these values left out, is a guess: the more hostile one.
    """
    for name in properties:
        definition = call.portal.properties.find(name)
        if definition is None or definition.sensitivity == "non_sensitive" or call.grant is None:
            continue
        check_scopes(call.grant, ((f"crm.objects.contacts.{definition.sensitivity}.{access}.v2",),))
