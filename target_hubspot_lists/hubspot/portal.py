"""Which scopes the settings need, and the check of the connection before a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubspot_singer.plugin.portal import Portal, missing_scopes, read_portal
from target_hubspot_lists.hubspot.legacy_lists import todays_ids, told

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hubspot_singer.http import HubSpotClient
    from target_hubspot_lists.settings import Settings

__all__ = ["Portal", "check_connection", "needed_scopes", "settings_told"]


def needed_scopes(settings: Settings, *, to_begin: bool = False) -> list[str]:
    """The scopes that the configured features need; or `to_begin` those without which no run may begin.

    A mirror by record id that may not read contacts adds members, and removes nobody; who cannot be mailed is not told.
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


def settings_told(client: HubSpotClient, settings: Settings, portal: Portal) -> Iterator[str]:
    """Yield what a check of the connection says of the settings; raise if HubSpot does not know what they name."""
    yield from _scopes_that_help(settings, portal)
    yield from told(todays_ids(client, settings.legacy_list_ids))


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


def check_connection(client: HubSpotClient, settings: Settings, needed: Collection[str]) -> Portal:
    """Return the portal that the token belongs to, in at most two calls; raise if it lacks a needed scope."""
    return read_portal(client, settings.connection.credentials, needed)
