"""Reads the JSON files that a command is given, and says what is wrong with one, and in which line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hubspot_singer.plugin.errors import UnreadableFile


def read_config_file(path: str) -> dict[str, Any]:
    """Return the settings that a file of `--config` holds; raise `UnreadableFile` naming it."""
    what = f'The file "{path}" given with --config'
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UnreadableFile(
            f"{what} cannot be read ({error.strerror}). Name a file that holds the settings as one JSON object,"
            " or write --config=ENV."
        ) from None
    settings = parse_json(content, what)
    if not isinstance(settings, dict):
        raise UnreadableFile(f"{what} is not a JSON object. Write the settings as one.")
    return settings


def parse_json(content: bytes | str, what: str) -> Any:  # noqa: ANN401 - JSON is what it is
    """Return what the JSON says; raise `UnreadableFile`, which quotes nothing of it and begins with `what`."""
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableFile(
            f"{what} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}. Correct it."
        ) from None
    except UnicodeDecodeError:
        raise UnreadableFile(f"{what} is not UTF-8 text. Save it as such.") from None
    except RecursionError:
        raise UnreadableFile(f"{what} is nested too deeply to be read. Correct it.") from None
    except ValueError:  # Python reads no number of more than 4300 digits
        raise UnreadableFile(f"{what} holds a number that is too long. Correct it.") from None
