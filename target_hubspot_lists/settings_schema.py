"""Declares the target's settings: what each takes, and what a user is told of it."""

from __future__ import annotations

from typing import Any

from hubspot_singer.http import CONNECTION_SETTINGS

_TEXT = ["string", "null"]
_FLAG = ["boolean", "null"]
_WHOLE = ["integer", "null"]

_LIST_ENTRY = {
    "type": "object",
    "properties": {
        "cohort": {
            "type": "string",
            "title": "Cohort",
            "description": "Id or name of the cohort, in upper and lower case as the source writes it.",
        },
        "list_id": {
            "type": ["string", "integer", "null"],
            "title": "List id",
            "description": "Id of an existing static list of contacts.",
        },
        "legacy_list_id": {
            "type": ["string", "integer", "null"],
            "title": "Legacy list id",
            "description": (
                "Id of an existing static list in the retired lists API v1; HubSpot says which list that is today."
            ),
        },
        "list_name": {
            "type": _TEXT,
            "title": "List name",
            "description": "Name of the list, taken as it is: no prefix is put before it.",
        },
        "skip": {
            "type": ["boolean", "string", "null"],
            "title": "Skip",
            "description": "true leaves the cohort out: its members count as skipped, and its list is left alone.",
        },
    },
    "required": ["cohort"],
    "additionalProperties": False,
}

_FALLBACK_ENTRY = {
    "type": "object",
    "properties": {
        "match_by": {
            "type": "string",
            "enum": ["email", "contact_id", "property"],
            "title": "Match by",
            "description": "What this identifier is: an email address, a HubSpot record id, or a unique property.",
        },
        "match_field": {
            "type": _TEXT,
            "title": "Match field",
            "description": "Column that holds it. Without it: email, contact_id, or the name of the property.",
        },
        "match_property": {
            "type": _TEXT,
            "title": "Match property",
            "description": "With match_by: property, the internal name of the unique contact property.",
        },
    },
    "required": ["match_by"],
    "additionalProperties": False,
}

_MAPPING_ENTRY = {
    "type": "object",
    "properties": {
        "field": {
            "type": "string",
            "title": "Field",
            "description": "Column of the record; a dotted path (address.city) leads into a nested one.",
        },
        "property": {
            "type": "string",
            "title": "Property",
            "description": "Internal name of the contact property, as HubSpot's settings show it.",
        },
        "unit": {
            "type": _TEXT,
            "enum": ["ms", "s", None],
            "title": "Unit",
            "description": (
                "Of a date or date-time property: whether numbers count milliseconds or seconds since 1970. Without "
                "it: seconds where that gives a year from 1900 to 2100, else milliseconds."
            ),
        },
    },
    "required": ["field", "property"],
    "additionalProperties": False,
}

# JSON schema of each setting: https://sdk.meltano.com/en/latest/guides/config-schema.html
TARGET_SETTINGS: dict[str, dict[str, Any]] = {
    **{name: dict(schema) for name, schema in CONNECTION_SETTINGS.items()},
    "match_by": {
        "type": "string",
        "enum": ["email", "contact_id", "property"],
        "default": "email",
        "title": "Match by",
        "description": (
            "What names the member in a record: an email address, a HubSpot record id, or the value of a unique "
            "contact property, which match_property names."
        ),
    },
    "match_field": {
        "type": _TEXT,
        "title": "Match field",
        "description": (
            "Column that holds the member. Without it: email, contact_id, or the name of the property, as match_by "
            "says."
        ),
    },
    "match_property": {
        "type": _TEXT,
        "title": "Match property",
        "description": (
            "With match_by: property, the internal name of a contact property with unique values, such as a customer "
            "number. Checked against the portal before anything is written. By a property alone no contact is created."
        ),
    },
    "match_fallbacks": {
        "type": ["array", "null"],
        "items": _FALLBACK_ENTRY,
        "title": "Match fallbacks",
        "description": (
            "Further identifiers, tried in order where the one before is blank or unknown to HubSpot: "
            '[{"match_by": "email", "match_field": "work_email"}]. A contact is created only after all of them, and '
            "only by an address."
        ),
    },
    "cohort_field": {
        "type": _TEXT,
        "title": "Cohort field",
        "description": (
            "Column that holds the cohort's name. Without it: cohort_name; in a stream without that column "
            "the cohort's id is its name, and without both the stream's name."
        ),
    },
    "cohort_id_field": {
        "type": _TEXT,
        "title": "Cohort id field",
        "description": "Column that holds the cohort's stable id, where there is one. Without it: cohort_id.",
    },
    "operation_field": {
        "type": _TEXT,
        "title": "Operation field",
        "description": (
            "Column that says add or remove. Without it: operation; a stream without that column only adds, "
            "but for records whose _sdc_deleted_at is set."
        ),
    },
    "lists": {
        "type": ["array", "null"],
        "items": _LIST_ENTRY,
        "title": "Lists",
        "description": (
            'Which list a cohort goes to, where its name does not say: [{"cohort": "VIP", "list_id": "42"}]. '
            "list_name names a list without the prefix, legacy_list_id has the id of the lists API v1. "
            '[{"cohort": "VIP", "skip": true}] leaves a cohort out.'
        ),
    },
    "list_name_prefix": {
        "type": _TEXT,
        "default": "amplitude_",
        "title": "List name prefix",
        "description": (
            "Put before a cohort's name to make its list's name. The default carries on the lists that "
            'Amplitude made; "" for no prefix.'
        ),
    },
    "list_folder_id": {
        "type": ["integer", "string", "null"],
        "title": "List folder id",
        "description": "HubSpot folder in which new lists are made.",
    },
    "create_lists": {
        "type": _FLAG,
        "default": True,
        "title": "Create lists",
        "description": "Make a list that does not exist yet. If false, its cohort is rejected and named.",
    },
    "max_new_lists": {
        "type": _WHOLE,
        "minimum": 0,
        "default": 100,
        "title": "Maximum of new lists",
        "description": "Most lists made in one run: a guard against a column that differs in every record.",
    },
    "sync_mode": {
        "type": "string",
        "enum": ["incremental", "mirror"],
        "default": "incremental",
        "title": "Sync mode",
        "description": (
            "incremental: each record is one add or remove. mirror: a stream holds whole cohorts, and who is not "
            "in a snapshot that is proven complete is removed."
        ),
    },
    "cohort_size_field": {
        "type": _TEXT,
        "title": "Cohort size field",
        "description": (
            "Column that says in each record how many members the cohort has: when as many arrived, a mirror's "
            "snapshot is complete. Without it: cohort_size."
        ),
    },
    "snapshot_end": {
        "type": "string",
        "enum": ["proven", "end_of_input"],
        "default": "proven",
        "title": "Snapshot end",
        "description": (
            "What ends a mirror's snapshot. proven: the cohort size, or an ACTIVATE_VERSION behind the records. "
            "end_of_input: the plain end too, which a tap that breaks off reaches as well."
        ),
    },
    "max_removal_percent": {
        "type": _WHOLE,
        "minimum": 0,
        "maximum": 100,
        "default": 20,
        "title": "Maximum of removals",
        "description": (
            "A mirror that would remove more than this share of a list of 20 or more members, in percent, or "
            "everybody, removes nobody and exits 1. 100 allows everything."
        ),
    },
    "mirror_removes": {
        "type": "string",
        "enum": ["all", "ours"],
        "default": "all",
        "title": "Mirror removes",
        "description": (
            "Whom a mirror removes. all: whoever is on the list and not in the snapshot. ours: of those only whom "
            "this target put there, which it knows from its ledger."
        ),
    },
    "empty_vanished_cohorts": {
        "type": _FLAG,
        "default": False,
        "title": "Empty vanished cohorts",
        "description": (
            "A mirror empties the lists of cohorts that are absent from a stream proven complete, as far as "
            "max_removal_percent allows. Needs a ledger. If false, they are named and left alone."
        ),
    },
    "ledger_url": {
        "type": _TEXT,
        "secret": True,
        "title": "Ledger URL",
        "description": (
            "Database in which the target remembers contacts, lists and members from run to run, so that only "
            "differences cost calls: sqlite:///path/to/ledger.db, or postgresql://user:password@host/database. "
            "It holds personal data."
        ),
    },
    "contact_cache_days": {
        "type": _WHOLE,
        "minimum": 0,
        "default": 7,
        "title": "Days of the contact cache",
        "description": (
            "How long the ledger's record id of an address is trusted before the address is looked up again."
        ),
    },
    "retry_unapplied_days": {
        "type": _WHOLE,
        "minimum": 0,
        "maximum": 90,
        "default": 7,
        "title": "Days of retrying adds",
        "description": (
            "With a ledger: for how many days an add is tried again, in runs of its stream, whose member HubSpot did "
            "not know or refused. A later record about the member replaces it. 0 tries nothing again."
        ),
    },
    "reconcile": {
        "type": _FLAG,
        "default": False,
        "title": "Reconcile",
        "description": (
            "Read every list and address that the ledger knows from HubSpot again, also those that no record names: "
            "members that a list lost are put back, people on it whom the ledger does not know are noted. Needs a "
            "ledger."
        ),
    },
    "create_contacts": {
        "type": _FLAG,
        "default": True,
        "title": "Create contacts",
        "description": (
            "Create a contact for an address that HubSpot does not know, when it is to be added to a list. "
            "If false, such members are reported as missing."
        ),
    },
    "property_mappings": {
        "type": ["array", "null"],
        "items": _MAPPING_ENTRY,
        "title": "Property mappings",
        "description": (
            "Which fields of a record are written to which contact properties: "
            '[{"field": "plan", "property": "plan"}]. Checked against the portal before anything is written. '
            "For a date given as a number, unit says what it counts since 1970: ms or s."
        ),
    },
    "property_policy": {
        "type": "string",
        "enum": ["overwrite", "overwrite_and_clear", "fill_empty"],
        "default": "overwrite",
        "title": "Property policy",
        "description": (
            "overwrite: the record's value replaces HubSpot's, null leaves it alone. overwrite_and_clear: null "
            "clears it. fill_empty: only properties without a value are written."
        ),
    },
    "audience_status_property": {
        "type": _FLAG,
        "default": False,
        "title": "Audience status property",
        "description": (
            "Keep a contact property for each list, named after it and made on first use: realized for "
            "members, exited for those who left."
        ),
    },
    "check_mailability": {
        "type": _FLAG,
        "default": False,
        "title": "Check mailability",
        "description": (
            "Say of each member on a list whether HubSpot mails them, and if not, why: unsubscribed, bad address, "
            "bounced, quarantined, not eligible, no marketing contact. It changes no list. Costs nothing by address, "
            "by record id a call for 100 members."
        ),
    },
    "verify_memberships": {
        "type": _FLAG,
        "default": False,
        "title": "Verify memberships",
        "description": (
            "Read back the members that HubSpot neither adds nor calls missing, so that each is known to be "
            "already_member, not_a_member or dropped instead of unconfirmed. Costs a call for 100 of them."
        ),
    },
    "report_path": {
        "type": _TEXT,
        "title": "Report path",
        "description": (
            "File to which a line is written for each member not in the state asked for, each list and the run, "
            "as JSON Lines. {run_id} in it is replaced; else runs append. It holds the addresses of people."
        ),
    },
    "report_members": {
        "type": "string",
        "enum": ["unapplied", "all"],
        "default": "unapplied",
        "title": "Members in the report",
        "description": "Which members the report names: unapplied, with those created; or all.",
    },
    "max_unapplied_percent": {
        "type": _WHOLE,
        "minimum": 0,
        "maximum": 100,
        "default": 100,
        "title": "Maximum of unapplied memberships",
        "description": (
            "The run exits 1 when more than this share of a list, in percent, did not apply. Below 100 no STATE "
            "leaves before the end of the input."
        ),
    },
    "dry_run": {
        "type": _FLAG,
        "default": False,
        "title": "Dry run",
        "description": (
            "Do every read and no write, say what would change, and write no STATE, so that the real run "
            "still sees everything."
        ),
    },
    "batch_size_rows": {
        "type": _WHOLE,
        "minimum": 1,
        "default": 100_000,
        "title": "Batch size",
        "description": "Memberships held before they are sent to HubSpot, over all streams.",
    },
}
