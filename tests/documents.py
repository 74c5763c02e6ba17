"""Runs the commands of a page as a reader would: in the order of the page, in one shell, in a fresh folder.

A block of commands is a fence marked `sh`. A comment on the line before a fence says more of it:

    <!-- after: COMMAND -->    a reader has run this command before, somewhere else
    <!-- not run: REASON -->   these commands need what a test has not, such as a HubSpot account
    <!-- file: NAME -->        the reader saves this text as a file of that name
    <!-- added to: NAME -->    the reader adds this text to that file
    <!-- output -->            the block before prints lines that end with these, in this order, among others
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

FENCE = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<mark>.+?) -->\n\s*)?```(?P<language>[^`\n]*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
TIMEOUT = 600  # seconds for all of a page; it may install plugins with Meltano, and the machine may be busy
END = "=== end of block {} ==="  # is printed between the blocks, so that each has an output of its own


class PageFailed(AssertionError):
    """A command of the page failed, or printed something else than the page shows."""


@dataclass(frozen=True)
class Block:
    """A fence of a page, and the comment before it."""

    line: int
    language: str
    text: str
    mark: str

    @property
    def is_run(self) -> bool:
        """Whether these are commands that a test can run."""
        return self.language == "sh" and not self.mark.startswith("not run: ")

    @property
    def command(self) -> str:
        """What a reader does with the block, as lines of a shell script."""
        kind, _, name = self.mark.partition(": ")
        if kind in {"file", "added to"}:
            return f"cat {'>' if kind == 'file' else '>>'} {name} <<'END OF TEXT'\n{self.text}END OF TEXT\n"
        return (f"{name}\n" if kind == "after" else "") + self.text if self.is_run else ""


def blocks(page: str) -> Iterator[Block]:
    """Yield the fences of a page in Markdown."""
    for found in FENCE.finditer(page):
        indent = len(found["indent"])
        text = "".join(
            line[indent:] if line.strip() else line for line in found["text"].splitlines(keepends=True)
        )
        yield Block(page.count("\n", 0, found.start()) + 1, found["language"], text, found["mark"] or "")


def run(
    page: Path, folder: Path, environment: Mapping[str, str], replaced: Mapping[str, str] | None = None
) -> None:
    """Run a page in a folder; raise PageFailed where a command fails or its output is another.

    `replaced` are texts of the page that a test must change, such as a port that may be taken.
    """
    text = page.read_text("utf-8")
    for old, new in (replaced or {}).items():
        text = text.replace(old, new)
    of_page = list(blocks(text))
    outputs = _outputs(of_page, folder, environment, page)
    for before, block in enumerate(of_page[1:]):
        if block.mark == "output":
            _compare(block, outputs[before], page)


def _outputs(of_page: Sequence[Block], folder: Path, environment: Mapping[str, str], page: Path) -> list[str]:
    script = "".join(f"{block.command}echo '{END.format(number)}'\n" for number, block in enumerate(of_page))
    done = subprocess.run(
        # -m: what a reader puts into the background is a job of its own, and can be named as %1.
        ["/bin/bash", "-m", "-e", "-u", "-c", f"trap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n{script}"],
        check=False,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
    )
    outputs, rest = [], done.stdout
    for number, block in enumerate(of_page):
        output, ended, rest = rest.partition(END.format(number) + "\n")
        if not ended:
            raise PageFailed(f"{page.name}:{block.line} ended with exit code {done.returncode}:\n{output}")
        outputs.append(output)
    return outputs


def _compare(block: Block, output: str, page: Path) -> None:
    lines = iter(output.splitlines())
    for expected in block.text.splitlines():
        if not any(line.rstrip().endswith(expected.strip()) for line in lines):
            raise PageFailed(f"{page.name}:{block.line}: not printed: {expected!r}. This was:\n{output}")
