"""How generated runs name their members: the match settings of each way, by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MATCHES: Mapping[str, Mapping[str, Any]] = {
    "email": {"match_by": "email"},
    "contact_id": {"match_by": "contact_id"},
    "property": {"match_by": "property", "match_property": "customer_id"},
    "fallbacks": {
        "match_by": "property",
        "match_property": "customer_id",
        "match_fallbacks": [{"match_by": "email"}],
    },
}
