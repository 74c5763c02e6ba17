"""Names the property that holds a list's audience status. Pure: the same list name, the same property name."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b

LONGEST_NAME = 100  # characters
PREFIX = "cohort"  # of a name that has no letter left, or begins with a digit
DIGEST_BYTES = 4
LONGEST_LABEL = 200  # characters; HubSpot names no limit, and shows fewer

OTHER_CHARACTERS = re.compile(r"[^a-z0-9]+")
MARK = re.compile(r"\(list ([0-9]+)\)")


def property_name(list_name: str) -> str:
    """Return the name of a list's property; `distinct_name` is used if another list's property has this name."""
    plain = _plain(list_name)
    if not plain or plain[0].isdigit():
        return _with_digest("_".join(filter(None, (PREFIX, plain))), list_name)
    return plain if len(plain) <= LONGEST_NAME else _with_digest(plain, list_name)


def distinct_name(list_name: str) -> str:
    """Return a name that no property of another list name has."""
    return _with_digest(_plain(property_name(list_name)), list_name)


def property_label(list_name: str) -> str:
    """Return the label that people see at the head of a column."""
    shown = list_name if len(list_name) <= LONGEST_LABEL else f"{list_name[: LONGEST_LABEL - 1]}…"
    return f"{shown} (audience status)"


def property_description(list_name: str, list_id: str) -> str:
    """Return the text that people see beside the property; by the list id in it a renamed list is found again."""
    return (
        f'realized: in the cohort of the list "{list_name}" (list {list_id}); exited: no longer. '
        "Kept by target-hubspot-lists."
    )


def marked_list_id(description: str) -> str | None:
    """Return the list id in a description: the last one, for the list's name may hold anything."""
    marks = MARK.findall(description)
    return marks[-1] if marks else None


def _plain(text: str) -> str:
    """Lower case, accents dropped, anything but letters and digits one underscore."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    without_accents = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return OTHER_CHARACTERS.sub("_", without_accents).strip("_")


def _with_digest(plain: str, list_name: str) -> str:
    # HubSpot ignores case in lists' names, so the digest does.
    digest = blake2b(list_name.lower().encode(errors="surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()
    return f"{plain[: LONGEST_NAME - len(digest) - 1].rstrip('_')}_{digest}"
