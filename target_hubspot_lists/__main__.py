"""`python -m target_hubspot_lists` is the command target-hubspot-lists."""

from __future__ import annotations

from target_hubspot_lists.target import TargetHubSpotLists

if __name__ == "__main__":
    TargetHubSpotLists.cli()
