"""The answer to a batch: 200 or 201 when all went well, else 207 with an account of each error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import Answer
from tests.hubspot_emulator.clocks import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.hubspot_emulator.portal import Portal


def batch_answer(
    portal: Portal, results: Sequence[object], errors: Sequence[Mapping[str, object]], status: int = 200
) -> Answer:
    now = to_text(portal.now_ms())
    body: dict[str, object] = {
        "status": "COMPLETE",
        "results": list(results),
        "requestedAt": now,
        "startedAt": now,
        "completedAt": now,
    }
    if errors:
        body |= {"numErrors": len(errors), "errors": list(errors)}
    return Answer(207 if errors else status, body)
