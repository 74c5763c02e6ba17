"""The system's Chromium, driven without a network: pages are files, and whatever else they ask for fails the test."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
# https://github.com/dequelabs/axe-core/blob/develop/doc/API.md: the impacts are minor, moderate, serious, critical.
SERIOUS = {"serious", "critical"}


class NoBrowser(Exception):
    """There is no Chromium, or nothing to drive it; the text says how to get it."""


def find_chromium() -> str:
    """The path of the system's Chromium."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise NoBrowser(
            "Chromium is not installed: apt-get install chromium, or whatever your system calls it."
        )
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with an empty profile, for as long as the block lasts."""
    path = find_chromium()
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not everybody looks at the page
    except ImportError:
        raise NoBrowser("Playwright is not installed: make test installs it.") from None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS), headless=True)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class OpenPage:
    """A page in the browser, and what it said and asked for since it was opened."""

    page: Page
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, browser: Browser, path: Path, *, width: int = 1280, dark: bool = False) -> OpenPage:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            permissions=["clipboard-read", "clipboard-write"],
            reduced_motion="reduce",
        )
        opened = cls(context.new_page())
        opened.page.set_default_timeout(20_000)
        opened.page.on("console", lambda message: opened.said.append(message.text))
        opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
        opened.page.on("dialog", lambda dialog: opened.said.append(dialog.message))
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.goto(path.as_uri())
        return opened

    def violations(self) -> list[str]:
        """What axe-core finds serious or critical, a line each."""
        # Not as a script element, which the page's policy forbids.
        self.page.evaluate(AXE.read_text("utf-8"))
        found: dict[str, Any] = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {each['help']}: {json.dumps([node['html'][:200] for node in each['nodes'][:3]])}"
            for each in found["violations"]
            if each["impact"] in SERIOUS
        ]

    def column(self, table: str, number: int) -> list[str]:
        """The text of a column of a table, as it is shown."""
        return [
            each.strip()
            for each in self.page.locator(f"#{table} tbody tr > :nth-child({number})").all_inner_texts()
        ]

    def width_of_content(self) -> int:
        """How wide the page is; wider than the window, it scrolls sideways."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth")
        return width
