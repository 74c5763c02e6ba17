"""Lists that cannot be used: what HubSpot does to one list of a portal, and to no other."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.random_histories.simulation import Simulation

CHANGE = "/memberships/add-and-remove"
# Not for want of a scope, which would concern every list.
FORBIDDEN: dict[str, Any] = {
    "status": 403,
    "body": {"status": "error", "category": "FORBIDDEN", "message": "Not this list"},
    "times": None,
}


def _is_active(simulation: Simulation, list_id: str) -> None:
    """HubSpot itself decides who is on the list."""
    simulation.portal.hubspot_list(list_id).processing_type = "DYNAMIC"


def _takes_no_members(simulation: Simulation, list_id: str) -> None:
    """HubSpot takes no add to the list, and no removal."""
    simulation.portal.quirks.locked_lists = {list_id: {"add", "remove"}}


def _is_forbidden(simulation: Simulation, list_id: str) -> None:
    """The token may not change the list."""
    simulation.hubspot.faults.next("PUT", f"/{list_id}{CHANGE}", **FORBIDDEN)


def _cannot_be_read(simulation: Simulation, list_id: str) -> None:
    """The token may read neither the members of the list nor the list itself."""
    name = simulation.portal.hubspot_list(list_id).name.replace(" ", "%20")
    for path in (f"/{list_id}/memberships?", f"/name/{name}"):
        simulation.hubspot.faults.next("GET", path, **FORBIDDEN)


PROBLEMS: dict[str, Callable[[Simulation, str], None]] = {
    "active": _is_active,
    "takes no members": _takes_no_members,
    "forbidden": _is_forbidden,
    "cannot be read": _cannot_be_read,
}


@contextmanager
def unusable(simulation: Simulation, list_id: str, problem: str) -> Iterator[None]:
    """Let a list be unusable within the `with` block."""
    PROBLEMS[problem](simulation, list_id)
    try:
        yield
    finally:
        simulation.hubspot.faults.clear()
        simulation.portal.quirks.locked_lists = {}
        simulation.portal.hubspot_list(list_id).processing_type = "MANUAL"
