"""A look at the portal for demonstrations. This is the emulator's own: HubSpot has nothing like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import Answer
from tests.hubspot_emulator.routing import Routes

if TYPE_CHECKING:
    from tests.hubspot_emulator.routing import Call

routes = Routes()


@routes("GET", "/__portal__/lists", docs="", needs_token=False)
def lists(call: Call) -> Answer:
    """Give every list with its members' addresses, or the record id of a member that has none."""
    with call.portal.lock:
        shown = [
            {
                "listId": each.list_id,
                "name": each.name,
                "processingType": each.processing_type,
                "size": len(each.members),
                "members": sorted(_name(call, number) for number in each.members),
            }
            for each in call.portal.lists
        ]
    return Answer(200, {"lists": shown})


def _name(call: Call, number: int) -> str:
    contact = call.portal.contacts.get(number)
    return str(number) if contact is None or contact.email is None else contact.email
