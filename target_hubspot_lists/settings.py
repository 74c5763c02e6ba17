"""The settings of the target, parsed once: in all other modules a setting is an attribute with a type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hubspot_singer.http import Connection, SettingsError, positive_id
from target_hubspot_lists.identifiers import EMAIL, Identifier, are_record_ids
from target_hubspot_lists.settings_schema import TARGET_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_hubspot_lists.identifiers import MatchBy

SyncMode = Literal["incremental", "mirror"]
SnapshotEnd = Literal["proven", "end_of_input"]
ReportMembers = Literal["unapplied", "all"]
MirrorRemoves = Literal["all", "ours"]
EpochUnit = Literal["ms", "s"]
PropertyPolicy = Literal["overwrite", "overwrite_and_clear", "fill_empty"]


@dataclass(frozen=True)
class ListEntry:
    """One entry of the setting `lists`: which list a cohort goes to."""

    cohort: str
    list_id: str | None
    list_name: str | None
    skip: bool = False  # its members are not added to any list
    legacy_list_id: str | None = None  # in the retired lists API v1

    @classmethod
    def from_setting(cls, entry: Mapping[str, Any]) -> ListEntry:
        """Parse one entry, which must have exactly one of list_id, list_name, legacy_list_id and skip."""
        cohort = str(entry["cohort"]).strip()
        list_name = str(entry.get("list_name") or "").strip()
        if not cohort:
            raise SettingsError("An entry of lists[] has no cohort: give the cohort's id or name.")
        skip = str(entry.get("skip") or "").strip().lower() in {"true", "1"}
        list_id = _list_id(entry, "list_id", "take it from the list's address in HubSpot")
        legacy_id = _list_id(entry, "legacy_list_id", "take it from the script that called the lists API v1")
        if [list_id is not None, bool(list_name), legacy_id is not None, skip].count(True) != 1:
            raise SettingsError(
                f'The entry of lists[] for "{cohort}" needs a list_id, a list_name or a legacy_list_id, and only one '
                "of them, or skip: true."
            )
        return cls(cohort, list_id, list_name or None, skip, legacy_id)


@dataclass(frozen=True)
class PropertyMapping:
    """One entry of the setting `property_mappings`: which field of a record goes to which property."""

    field: str
    property: str
    unit: EpochUnit | None = None  # of a date given as a number; None: the size of the number decides

    @classmethod
    def from_setting(cls, entry: Mapping[str, Any]) -> PropertyMapping:
        """Parse one entry; raise SettingsError if one of the names is blank."""
        mapping = cls(str(entry["field"]).strip(), str(entry["property"]).strip(), entry.get("unit"))
        if not mapping.field or not mapping.property:
            raise SettingsError("An entry of property_mappings[] lacks its field or its property: name both.")
        return mapping


@dataclass(frozen=True)
class Settings:
    """The target's settings; defaults as `TARGET_SETTINGS` has them."""

    connection: Connection
    identifiers: tuple[Identifier, ...]  # from match_by, match_field, match_property and match_fallbacks
    cohort_field: str | None
    cohort_id_field: str | None
    operation_field: str | None
    lists: tuple[ListEntry, ...]
    list_name_prefix: str
    list_folder_id: int | None
    create_lists: bool
    max_new_lists: int
    sync_mode: SyncMode
    cohort_size_field: str | None
    snapshot_end: SnapshotEnd
    max_removal_percent: int
    mirror_removes: MirrorRemoves
    empty_vanished_cohorts: bool
    ledger_url: str | None
    contact_cache_days: int
    retry_unapplied_days: int
    reconcile: bool
    create_contacts: bool
    property_mappings: tuple[PropertyMapping, ...]
    property_policy: PropertyPolicy
    audience_status_property: bool
    check_mailability: bool
    verify_memberships: bool
    report_path: str | None
    report_members: ReportMembers
    max_unapplied_percent: int
    dry_run: bool
    batch_size_rows: int

    @property
    def legacy_list_ids(self) -> list[str]:
        """The ids of the lists API v1 that `lists` names."""
        return [each.legacy_list_id for each in self.lists if each.legacy_list_id is not None]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Settings:
        """Parse a config that has passed the JSON schema; raise SettingsError on what a schema cannot say."""
        entries = tuple(ListEntry.from_setting(entry) for entry in config.get("lists") or ())
        _refuse_repeats(entries)
        mappings = tuple(PropertyMapping.from_setting(each) for each in config.get("property_mappings") or ())
        identifiers = _identifiers(config)
        _refuse_unusable(mappings, identifiers)
        ledger_url = str(config.get("ledger_url") or "").strip() or None
        if ledger_url is None:
            _refuse_without_ledger(config)
        return cls(
            connection=Connection.from_settings(config),
            identifiers=identifiers,
            cohort_field=_column(config, "cohort_field"),
            cohort_id_field=_column(config, "cohort_id_field"),
            operation_field=_column(config, "operation_field"),
            lists=entries,
            list_name_prefix=_value(config, "list_name_prefix"),
            list_folder_id=_folder_id(config.get("list_folder_id")),
            create_lists=_value(config, "create_lists"),
            max_new_lists=_value(config, "max_new_lists"),
            sync_mode=_value(config, "sync_mode"),
            cohort_size_field=_column(config, "cohort_size_field"),
            snapshot_end=_value(config, "snapshot_end"),
            max_removal_percent=_value(config, "max_removal_percent"),
            mirror_removes=_value(config, "mirror_removes"),
            empty_vanished_cohorts=_value(config, "empty_vanished_cohorts"),
            ledger_url=ledger_url,
            contact_cache_days=_value(config, "contact_cache_days"),
            retry_unapplied_days=_value(config, "retry_unapplied_days"),
            reconcile=_value(config, "reconcile"),
            create_contacts=_value(config, "create_contacts"),
            property_mappings=mappings,
            property_policy=_value(config, "property_policy"),
            audience_status_property=_value(config, "audience_status_property"),
            check_mailability=_value(config, "check_mailability"),
            verify_memberships=_value(config, "verify_memberships"),
            report_path=str(config.get("report_path") or "").strip() or None,
            report_members=_value(config, "report_members"),
            max_unapplied_percent=_value(config, "max_unapplied_percent"),
            dry_run=_value(config, "dry_run"),
            batch_size_rows=_value(config, "batch_size_rows"),
        )

    @property
    def match_by(self) -> MatchBy:
        """The kind of the identifier that is looked up first."""
        return self.identifiers[0].match_by

    @property
    def are_record_ids(self) -> bool:
        """Whether members are HubSpot record ids, so that no contact is looked up."""
        return are_record_ids(self.identifiers)

    @property
    def may_create_contacts(self) -> bool:
        """Whether contacts can be created, which takes an address."""
        return self.create_contacts and any(each.by == EMAIL for each in self.identifiers)

    @property
    def match_properties(self) -> list[str]:
        """The names of the unique contact properties by which contacts are looked up."""
        return [each.by for each in self.identifiers if each.match_by == "property"]


def _value(config: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  # its type is the schema's
    value = config.get(name)
    return TARGET_SETTINGS[name]["default"] if value is None else value


def _column(config: Mapping[str, Any], name: str) -> str | None:
    return str(config.get(name) or "").strip() or None


def _list_id(entry: Mapping[str, Any], name: str, where: str) -> str | None:
    """Return the id of a list as digits, None where there is none; `where` says where to find it, for the error."""
    value = entry.get(name)
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    if (number := positive_id(text)) is None:
        raise SettingsError(f'lists[].{name} of "{entry["cohort"]}" is not a number: {where}.')
    return str(number)  # without zeros in front


def _folder_id(value: object) -> int | None:
    text = "" if value is None else str(value).strip()
    if text and not text.isdecimal():
        raise SettingsError("list_folder_id is not a number: take it from the folder's address in HubSpot.")
    return int(text) if text else None


def _identifiers(config: Mapping[str, Any]) -> tuple[Identifier, ...]:
    fallbacks = config.get("match_fallbacks") or ()
    identifiers = Identifier.from_setting(config), *(Identifier.fallback(each) for each in fallbacks)
    seen: set[tuple[str, str]] = set()
    for identifier in identifiers:
        if (identifier.by, identifier.column) in seen:
            raise SettingsError(
                f'match_fallbacks[] repeats the identifier {identifier.name} in the column "{identifier.column}": '
                "each must be another one, or in another column. Take the entry out, or name its column in "
                "match_field."
            )
        seen.add((identifier.by, identifier.column))
    return identifiers


def _refuse_repeats(entries: tuple[ListEntry, ...]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.cohort in seen:
            raise SettingsError(f'lists[] names the cohort "{entry.cohort}" twice: keep one of the entries.')
        seen.add(entry.cohort)


def _refuse_without_ledger(config: Mapping[str, Any]) -> None:
    for name, needs in (
        ("mirror_removes", _value(config, "mirror_removes") == "ours"),
        ("empty_vanished_cohorts", _value(config, "empty_vanished_cohorts")),
        ("reconcile", _value(config, "reconcile")),
    ):
        if needs:
            raise SettingsError(
                f"{name} needs a ledger, which remembers what earlier runs did: name one in ledger_url, "
                f"or take {name} out."
            )


def _refuse_unusable(mappings: tuple[PropertyMapping, ...], identifiers: tuple[Identifier, ...]) -> None:
    seen: set[str] = set()
    for mapping in mappings:
        if mapping.property in seen:
            raise SettingsError(
                f'property_mappings[] names the property "{mapping.property}" twice: keep one of the entries.'
            )
        seen.add(mapping.property)
    # With several identifiers a property among them may be written, so that the contact is found by it later.
    for identifier in identifiers:
        if identifier.by in seen and (identifier.by == EMAIL or len(identifiers) == 1):
            raise SettingsError(
                f'property_mappings[] names the property "{identifier.by}", by which contacts are found: '
                "take the entry out, or match by something else."
            )
