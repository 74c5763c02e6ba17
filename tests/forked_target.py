"""The target in processes of its own that start at once, to be killed: forked off one that has imported it."""

from __future__ import annotations

import io
import multiprocessing
import sys
from typing import TYPE_CHECKING, Any

from target_hubspot_lists.target import TargetHubSpotLists

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def start(config: dict[str, Any], *messages: str) -> ForkServerProcess:
    """Start a run on these messages; its exit code is the run's."""
    process = _CONTEXT.Process(target=_run, args=(config, "".join(f"{each}\n" for each in messages)))
    process.start()
    return process


def _run(config: dict[str, Any], source: str) -> None:
    sys.exit(TargetHubSpotLists(config=config).run(io.BytesIO(source.encode())))
