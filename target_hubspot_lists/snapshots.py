"""When a snapshot is proven complete: pure, since a wrong answer removes people who never left.

A tap that crashed looks to a target like the plain end of its input, and STATE proves nothing: taps write it when
they are stopped, and may write none when they end. So nobody is removed without one of three proofs; design 3.6.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class StreamEvidence:
    """What a stream's messages say of its completeness.

    ACTIVATE_VERSION comes first from some taps, last from others, and once a parent from nested streams, so it
    proves something only where it stands behind records of its version, with nothing of the stream after it.
    """

    version: int | None = None
    records_since_schema: int = 0
    is_activated: bool = False
    unclear: int = 0  # records rejected of which it is not known whose they are, or whether they stay

    def schema(self) -> None:
        """A SCHEMA came, changed or not: what comes now may be the next parent's."""
        self.records_since_schema = 0
        self.is_activated = False

    def is_newer(self, version: int | None) -> bool:
        """Whether a record of this version begins a snapshot that replaces the one so far."""
        return version is not None and (self.version is None or version > self.version)

    def is_older(self, version: int | None) -> bool:
        """Whether a record of this version belongs to a snapshot that was replaced."""
        return self.version is not None and (version is None or version < self.version)

    def record(self, version: int | None) -> None:
        """A RECORD of the current version came."""
        if self.is_newer(version):
            self.version = version
            self.records_since_schema = 0
        self.records_since_schema += 1
        self.is_activated = False

    def other(self) -> None:
        """Anything else of the stream came: what was activated was not the end of it."""
        self.is_activated = False

    def activate(self, version: object) -> None:
        """An ACTIVATE_VERSION came."""
        self.is_activated = version is not None and version == self.version and self.records_since_schema > 0


@dataclass
class CohortEvidence:
    """What the records of a cohort say of how many there are."""

    sizes: set[int] = field(default_factory=set)

    def is_complete(self, arrived: int) -> bool:
        """Whether as many distinct members arrived as every record says there are."""
        return self.sizes == {arrived}

    def gap(self, name: str, arrived: int) -> str:
        """Why it is not proven complete."""
        if len(self.sizes) > 1:
            return f'the records of cohort "{name}" do not agree how many there are ({_range(self.sizes)})'
        return f'{arrived:,} of {next(iter(self.sizes)):,} distinct members of cohort "{name}" arrived'


def _range(sizes: set[int]) -> str:
    return f"{min(sizes):,} to {max(sizes):,}"


@dataclass(frozen=True)
class Removal:
    """What a snapshot asks of one list: how many of its members are to go."""

    members: int
    to_remove: int

    def is_too_much(self, max_removal_percent: int) -> bool:
        """Whether the guard holds it back: too large a share of a list, or everybody at any size."""
        if max_removal_percent >= EVERYTHING or not self.to_remove:
            return False
        is_everybody = self.to_remove >= self.members
        is_large_share = self.to_remove * EVERYTHING > self.members * max_removal_percent
        return is_everybody or (self.members >= ENOUGH_TO_GUARD and is_large_share)


EVERYTHING = 100  # percent
ENOUGH_TO_GUARD = 20  # members: of a shorter list a few are a large share
