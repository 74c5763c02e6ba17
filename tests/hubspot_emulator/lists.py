"""The portal's lists: a name is unique whatever its case, and stays taken by a deleted list."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import HubSpotError, invalid, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CONTACTS = "0-1"  # object type id
PROCESSING_TYPES = ("DYNAMIC", "MANUAL", "SNAPSHOT")
FIRST_LEGACY_ID = (
    7_000  # a list's id in the v1 API is another number: https://knowledge.hubspot.com/lists/lists-faq
)


@dataclass(eq=False)
class HubSpotList:
    """One list, with its members' record ids and when each joined (epoch ms), in joining order."""

    list_id: str
    name: str
    processing_type: str
    created_ms: int
    updated_ms: int
    folder_id: int = 0
    version: int = 1
    members: dict[int, int] = field(default_factory=dict)
    deleted_ms: int | None = None
    unsearchable_for: int = 0  # searches that do not find it yet
    filter_branch: object = None
    legacy_id: str = ""  # of the same list in the retired v1 API
    processing_until_ms: float = 0.0  # until then HubSpot is still filling it
    _sorted: list[int] | None = None
    _stale: dict[int, int] | None = None  # what the next reads still show
    _stale_reads: int = 0
    _earlier: list[tuple[int, dict[int, int]]] = field(
        default_factory=list
    )  # what reads show until an epoch ms

    def apply(
        self, added: Iterable[int], removed: Iterable[int], now_ms: int, *, lag: int = 0, lag_ms: int = 0
    ) -> None:
        """Change the members; the next `lag` reads, and those of `lag_ms` to come, still show the list as it was."""
        if lag:
            self._stale, self._stale_reads = dict(self.members), lag
        if lag_ms:
            self._earlier.append((now_ms + lag_ms, dict(self.members)))
        self.members.update(dict.fromkeys(added, now_ms))
        for number in removed:
            self.members.pop(number, None)
        self._sorted = None
        self.updated_ms = now_ms

    def status(self, now_ms: int) -> str:
        """Return the list's processingStatus."""
        return "PROCESSING" if now_ms < self.processing_until_ms else "COMPLETE"

    def read(self, now_ms: int) -> dict[int, int]:
        """Give the members as HubSpot shows them to this read."""
        if self._stale is not None and self._stale_reads > 0:
            self._stale_reads -= 1
            return self._stale
        self._stale = None
        return self.shown(now_ms)

    def shown(self, now_ms: int) -> dict[int, int]:
        """Return the members as reads show them at this moment, without counting as a read.

        Of a list that is processing they show the half that joined first: not documented, a hostile guess.
        """
        self._earlier = [(until, members) for until, members in self._earlier if until > now_ms]
        members = self._earlier[0][1] if self._earlier else self.members
        if self.status(now_ms) == "COMPLETE":
            return members
        return dict(list(members.items())[: len(members) // 2])

    def page(
        self, members: dict[int, int], *, after: int | None, before: int | None, limit: int
    ) -> tuple[list[int], bool]:
        """Give a page of record ids and whether there are more: ascending, or descending if only `before`."""
        numbers = self._ascending(members)
        if after is None and before is not None:
            end = bisect_left(numbers, before)
            return numbers[max(0, end - limit) : end][::-1], end > limit
        start = 0 if after is None else bisect_right(numbers, after)
        return numbers[start : start + limit], start + limit < len(numbers)

    def _ascending(self, members: dict[int, int]) -> list[int]:
        if members is not self.members:
            return sorted(members)
        if self._sorted is None:  # sorted once for all pages of an unchanged list
            self._sorted = sorted(members)
        return self._sorted


class Lists:
    """All lists, deleted ones too. Not locked: the portal does that."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._lists: dict[str, HubSpotList] = {}
        self._names: dict[str, str] = {}  # list ids; of deleted lists as well, so that their names stay taken
        self._next = 1
        # Lists an account may have: https://legal.hubspot.com/hubspot-product-and-services-catalog (Starter).
        self.limits = {"DYNAMIC": 50, "MANUAL": 1_000, "SNAPSHOT": 1_000}
        self.folders: dict[int, Folder] = {0: Folder(0, "", None)}

    def __iter__(self) -> Iterator[HubSpotList]:
        return (each for each in self._lists.values() if each.deleted_ms is None)

    def get(self, list_id: str) -> HubSpotList:
        """Give a live list; a deleted one is not found."""
        found = self._lists.get(list_id)
        if found is None or found.deleted_ms is not None:
            raise not_found(f"List does not exist with ID {list_id}.")
        return found

    def by_name(self, name: str) -> HubSpotList | None:
        found = self._lists.get(self._names.get(_key(name), ""))
        return found if found is not None and found.deleted_ms is None else None

    def by_legacy_id(self, legacy_id: str) -> HubSpotList | None:
        """Return the list of an id of the v1 API, a deleted one too: that the mapping outlives it is a guess."""
        return next((each for each in self._lists.values() if each.legacy_id == legacy_id), None)

    def create(
        self,
        name: str,
        processing_type: str,
        *,
        folder_id: int = 0,
        filter_branch: object = None,
        lag: int = 0,
    ) -> HubSpotList:
        """Make a list, or refuse as HubSpot does: bad type, name taken, too many lists, no such folder."""
        if processing_type not in PROCESSING_TYPES:
            raise invalid(f"Invalid processingType {processing_type!r}")
        if folder_id not in self.folders:
            raise invalid(f"Folder with ID {folder_id} does not exist.")
        self._check_name(name)
        self._check_limit(processing_type)
        now = self._now_ms()
        made = HubSpotList(
            str(self._next),
            name.strip(),
            processing_type,
            now,
            now,
            folder_id=folder_id,
            filter_branch=filter_branch,
            unsearchable_for=lag,
            legacy_id=str(FIRST_LEGACY_ID + self._next),
        )
        self._next += 1
        self._lists[made.list_id] = made
        self._names[_key(name)] = made.list_id
        return made

    def rename(self, list_id: str, name: str, *, lag: int = 0) -> HubSpotList:
        renamed = self.get(list_id)
        if _key(name) != _key(renamed.name):
            self._check_name(name)
        del self._names[_key(renamed.name)]
        self._names[_key(name)] = list_id
        renamed.name, renamed.updated_ms, renamed.unsearchable_for = name.strip(), self._now_ms(), lag
        renamed.version += 1
        return renamed

    def delete(self, list_id: str) -> None:
        self.get(list_id).deleted_ms = self._now_ms()

    def restore(self, list_id: str) -> None:
        found = self._lists.get(list_id)
        if found is None:
            raise not_found(f"List does not exist with ID {list_id}.")
        found.deleted_ms = None

    def searchable(self) -> list[HubSpotList]:
        """Give the lists that this search can see, newest first."""
        visible = [each for each in self if each.unsearchable_for == 0]
        for each in self:
            each.unsearchable_for = max(0, each.unsearchable_for - 1)
        return visible[::-1]

    def add_folder(self, name: str, parent_id: int) -> Folder:
        if parent_id not in self.folders:
            raise invalid(f"Folder with ID {parent_id} does not exist.")
        folder = Folder(max(self.folders) + 1, name, parent_id)
        self.folders[folder.folder_id] = folder
        return folder

    def _check_name(self, name: str) -> None:
        """Refuse blank and taken names.

        Not documented: whether a deleted list that can be restored keeps its name, and what becomes of blanks
        around a name. Here the deleted list keeps it, and the blanks go without notice.
        """
        if not name.strip():
            raise invalid("List name must not be blank.")
        if _key(name) in self._names:
            raise HubSpotError(
                400, "VALIDATION_ERROR", f"List already exists with name: {name}.", "ILS.DUPLICATE_LIST_NAMES"
            )

    def _check_limit(self, processing_type: str) -> None:
        """Refuse one list too many; the shape of HubSpot's refusal is not documented."""
        dynamic = processing_type == "DYNAMIC"
        held = sum((each.processing_type == "DYNAMIC") == dynamic for each in self)
        if held >= self.limits[processing_type]:
            raise invalid(f"The account has reached its limit of {self.limits[processing_type]} lists.")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of lists; folder 0 is the root."""

    folder_id: int
    name: str
    parent_id: int | None


def _key(name: str) -> str:
    return name.strip().casefold()
