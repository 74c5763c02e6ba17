"""How Sphinx builds the documents: Markdown in, a warning is an error. `make docs` runs it."""

from __future__ import annotations

import tomllib
from pathlib import Path

PYPROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))

project = PYPROJECT["project"]["name"]
release = PYPROJECT["project"]["version"]
author = PYPROJECT["project"]["authors"][0]["name"]
project_copyright = author

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
myst_heading_anchors = 4  # headings that a link can name
linkcheck_anchors = False  # many sites make theirs by script

smartquotes = False  # `--option` and JSON in a table stay as a reader has to type them

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_title = f"{project} {release}"
html_show_sphinx = False
