"""One contact: its addresses, the record ids that were merged into it, and its properties."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.hubspot_emulator.clocks import to_text


@dataclass(slots=True)
class Contact:
    """One person's record. Everything but the addresses and the times is in `properties`."""

    number: int
    email: str | None
    created_ms: int
    updated_ms: int
    additional_emails: tuple[str, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    archived_ms: int | None = None
    merged: tuple[int, ...] = ()  # every record id that led to this contact by a merge, its own left out

    @property
    def record_id(self) -> str:
        return str(self.number)

    def value(self, name: str) -> str | None:
        """Return a property's value as HubSpot writes it; None where it has none."""
        match name:
            case "email":
                value = self.email
            case "hs_additional_emails":
                value = ";".join(self.additional_emails) or None
            case "hs_merged_object_ids":
                value = ";".join(map(str, self.merged)) or None
            case "hs_object_id":
                value = self.record_id
            case "createdate":
                value = to_text(self.created_ms)
            case "lastmodifieddate":
                value = to_text(self.updated_ms)
            case _:
                value = self.properties.get(name)
        return value
