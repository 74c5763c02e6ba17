"""Pages made of the lines of a report."""

from __future__ import annotations

import html
import itertools
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.report_page.command import make_page
from tests.target_hubspot_lists.report_page.lines import started, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta
    from pathlib import Path


@dataclass(frozen=True)
class MadePage:
    """A page, and the CSV file beside it."""

    path: Path

    @property
    def html(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def csv_path(self) -> Path:
        return self.path.with_name(f"{self.path.stem}-members.csv")

    @property
    def csv(self) -> str:
        return self.csv_path.read_text("utf-8-sig")

    @property
    def text(self) -> str:
        """What a person reads, without the members' rows, which a script draws; each element on a line."""
        body = re.sub(r"<(script|style).*?</\1>", "", self.html.partition("<body>")[2], flags=re.DOTALL)
        return html.unescape(
            "\n".join(filter(None, map(str.strip, re.sub(r"<[^>]*>", "\n", body).split("\n"))))
        )


@dataclass(frozen=True)
class PageMaker:
    """Makes pages, each in a folder of its own, right after the last run."""

    parent: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def folder(self) -> Path:
        folder = self.parent / str(next(self.numbers))
        folder.mkdir()
        return folder

    def __call__(
        self,
        *lines: dict[str, Any],
        folder: Path | None = None,
        now: datetime | None = None,
        ledger_url: str | None = None,
        campaigns: Iterable[dict[str, Any]] = (),
        show_members: bool = False,
        expected_every: timedelta | None = None,
    ) -> MadePage:
        folder = folder or self.folder()
        made = MadePage(folder / "page.html")
        report = write(folder / "report.jsonl", *lines)
        runs = [each["time"] for each in lines if each["kind"] == "run"]
        later = max(map(datetime.fromisoformat, runs), default=started())
        campaigns = list(campaigns)
        make_page(
            reports=[str(report)] if lines or not (ledger_url or campaigns) else [],
            ledger_url=ledger_url,
            campaigns_file=write(folder / "campaigns.jsonl", *campaigns) if campaigns else None,
            output=made.path,
            show_members=show_members,
            expected_every=expected_every,
            now=now or later,
        )
        return made


@pytest.fixture(autouse=True)
def _needs_jinja2() -> None:
    pytest.importorskip("jinja2", reason="jinja2 is not installed: it is the extra report")


@pytest.fixture
def page_of(tmp_path: Path) -> PageMaker:
    return PageMaker(tmp_path)
