"""What takes in the records of the input, once they are understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_hubspot_lists.input.attributes import AttributeParser, Attributes
    from target_hubspot_lists.input.records import Cohort, Membership, Rejection
    from target_hubspot_lists.outcomes import PropertyProblem


class Receiver(Protocol):
    """Takes memberships and rejections, stream by stream, in the order of the input."""

    def attribute_parser(self, stream: str, columns: Sequence[str]) -> AttributeParser | None:
        """Return what reads the mapped fields of a stream's records; None if no field is mapped.

        InputError if a mapped field is not among the columns.
        """

    def schema(self, stream: str, cohort: Cohort | None, *, can_remove: bool) -> None:
        """A SCHEMA of the stream came, changed or not.

        `cohort` is the one that the whole stream is, or None where a column names the cohort. `can_remove` says
        whether a record of the stream can remove a member.
        """

    def take(
        self,
        stream: str,
        membership: Membership,
        version: int | None,
        attributes: Attributes | PropertyProblem | None = None,
    ) -> None:
        """Take a record's membership, and the attributes that it maps; `version` is that of the RECORD message."""

    def reject(self, stream: str, rejection: Rejection, version: int | None) -> None:
        """Account for a record that cannot be applied."""

    def pass_over(self, stream: str) -> None:
        """A RECORD of the stream came that a stream map filters out."""
