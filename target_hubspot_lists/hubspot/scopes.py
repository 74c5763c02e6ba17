"""Which scopes the settings need, and what a check of the connection says of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubspot_singer.plugin.portal import missing_scopes
from target_hubspot_lists.errors import ListError
from target_hubspot_lists.hubspot.lists import current_list_ids, unknown_legacy_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hubspot_singer.http import HubSpotClient
    from hubspot_singer.plugin.portal import Portal
    from target_hubspot_lists.settings import Settings


def needed_scopes(settings: Settings, *, to_begin: bool = False) -> list[str]:
    """Return the scopes that the configured features need, or, `to_begin`, those without which no run may begin.

    Without the scope to read contacts a mirror by record id still adds members, and removes none, and the report does
    not say which members HubSpot does not mail.
    """
    # Membership writes need both: https://developers.hubspot.com/docs/api-reference/latest/crm/lists/memberships
    mapped, matched = bool(settings.property_mappings), bool(settings.match_properties)
    with_properties = mapped or settings.audience_status_property
    follows_merges = settings.sync_mode == "mirror" and not to_begin
    fills = mapped and settings.property_policy == "fill_empty"
    checks_mailability = settings.check_mailability and not to_begin
    reads_contacts = not settings.are_record_ids or follows_merges or checks_mailability or fills
    writes_contacts = with_properties or settings.may_create_contacts
    needed = {
        "crm.lists.read": True,
        "crm.lists.write": not settings.dry_run,
        "crm.objects.contacts.read": reads_contacts,
        "crm.objects.contacts.write": writes_contacts and not settings.dry_run,
        "crm.schemas.contacts.read": with_properties or matched,
        "crm.schemas.contacts.write": settings.audience_status_property and not settings.dry_run,
    }
    return [scope for scope, is_needed in needed.items() if is_needed]


def settings_notes(client: HubSpotClient, settings: Settings, portal: Portal) -> Iterator[str]:
    """Yield a sentence for each thing to know of the settings; ListError if HubSpot does not know a legacy list id."""
    yield from _scopes_that_help(settings, portal)
    for legacy_id, list_id in current_list_ids(client, settings.legacy_list_ids).items():
        if list_id is None:
            raise ListError(f"{unknown_legacy_id(legacy_id)}.")
        yield f"lists[].legacy_list_id {legacy_id}: the list has the id {list_id} today."


def _scopes_that_help(settings: Settings, portal: Portal) -> Iterator[str]:
    """Yield a sentence for each scope that the token is known to lack, and without which a run does less."""
    scope = "crm.objects.contacts.read"
    if scope in needed_scopes(settings) or portal.scopes is None:
        return
    if missing_scopes(portal.scopes, [scope]):
        yield (
            f"Without {scope} a run works, but does not follow contacts that were merged: their old record ids are "
            "missing."
        )
