"""Puts the project's address into the package's metadata: its links, and those of the README as an index shows it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# A link or an image, in Markdown or HTML, to a file of this repository: no address, and no heading of the same page.
RELATIVE_LINK = re.compile(
    r'(?P<before>\]\(|\b(?:href|src|srcset)=")(?!https?:|mailto:|#)(?P<target>[^)"\s]+)'
)
IMAGES = (".gif", ".jpg", ".png", ".svg", ".webp")


class CustomMetadataHook(MetadataHookInterface):
    """Reads `repository` in [tool.hatch.metadata.hooks.custom]; while it is empty, the package has no links."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `urls` and `readme`, which pyproject.toml declares as dynamic."""
        readme = (Path(self.root) / "README.md").read_text("utf-8")
        repository: str = self.config["repository"]
        if repository:
            readme = with_full_links(readme, f"{repository}/{{}}/v{metadata['version']}/")
        metadata["urls"] = links(repository) if repository else {}
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}


def links(repository: str) -> dict[str, str]:
    """Return the links that an index shows beside the package, by their label."""
    return {
        "Documentation": f"{repository}/blob/main/docs/index.md",
        "Source": repository,
        "Changelog": f"{repository}/blob/main/CHANGELOG.md",
        "Issues": f"{repository}/issues",
        "Security": f"{repository}/blob/main/SECURITY.md",
    }


def with_full_links(readme: str, base: str) -> str:
    """Return the README with full addresses: an index has none of the files that it links to.

    `base` has a place for "blob", the page that shows a file, or "raw", the file itself, as an image needs it.
    """

    def full(link: re.Match[str]) -> str:
        kind = "raw" if link["target"].endswith(IMAGES) else "blob"
        return f"{link['before']}{base.format(kind)}{link['target']}"

    return RELATIVE_LINK.sub(full, readme)
