"""The target's command as it is, but for waits that take a hundredth of their time."""

from __future__ import annotations

from typing import Any

from target_hubspot_lists.target import TargetHubSpotLists
from tests.clocks import HurriedClock


class HurriedTarget(TargetHubSpotLists):
    """A target whose clock hurries."""

    def __init__(self, *, config: dict[str, Any] | None = None, parse_env_config: bool = False) -> None:
        super().__init__(config=config, parse_env_config=parse_env_config, clock=HurriedClock())


if __name__ == "__main__":
    HurriedTarget.cli()
