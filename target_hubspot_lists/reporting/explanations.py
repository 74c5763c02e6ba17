"""The meaning of each outcome and reason, and what to do: for the report page and for the tables of the documents.

A code of a newer version, which is not in this module, is shown as plain words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.outcomes import Mailability, Outcome, PropertyReason, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping


class Explanation(NamedTuple):
    """A short title for a code, what it means, and what to do ("" for nothing)."""

    title: str
    meaning: str
    what_to_do: str = ""


OUTCOMES: Mapping[str, Explanation] = {
    Outcome.ADDED: Explanation("Added", "HubSpot put the contact onto the list."),
    Outcome.REMOVED: Explanation("Removed", "HubSpot took the contact off the list."),
    Outcome.ALREADY_MEMBER: Explanation(
        "Already on the list", "The contact was on the list before: nothing had to change."
    ),
    Outcome.NOT_A_MEMBER: Explanation(
        "Already off the list",
        "The contact was to be removed and was not on the list: nothing had to change.",
    ),
    Outcome.UNCONFIRMED: Explanation(
        "Accepted",
        "HubSpot accepted the change and did not name this contact, as it does where nothing had to change.",
        "Set verify_memberships: true to have such contacts read back.",
    ),
    Outcome.MISSING: Explanation(
        "Not in HubSpot",
        "HubSpot has no contact with this address, record id or value, and none was created.",
        "Set create_contacts: true to have contacts created from addresses, or import these people into HubSpot. "
        "By record id: the contact was deleted, or the id is one of another portal.",
    ),
    Outcome.REJECTED: Explanation(
        "Rejected",
        "The row could not be used, or HubSpot refused the contact or the list.",
        "See the reason.",
    ),
    Outcome.SKIPPED: Explanation(
        "Held back",
        "A safety limit held the removal back, since too many members of the list would have been removed at once; or "
        "the setting lists leaves the cohort out (skip).",
        "Look at the source. If the removals are right, raise max_removal_percent for one run.",
    ),
    Outcome.DROPPED: Explanation(
        "Accepted, but not done",
        "HubSpot accepted the change, yet the list was still not as asked when it was read back.",
        "Run again. If it stays, look at the contact in HubSpot.",
    ),
}

CREATED = Explanation(
    "Contact created",
    "HubSpot had no contact with this address, and one was created.",
    "Check that the portal treats this app's contacts as marketing contacts: only those can be mailed.",
)

REASONS: Mapping[str, Explanation] = {
    Reason.MISSING_COHORT: Explanation(
        "No cohort",
        "The column of the cohort is empty in this row, so that the row belongs to no list.",
        "Fill the column in the source, or leave such rows out.",
    ),
    Reason.INVALID_COHORT: Explanation(
        "Cohort cannot be a list",
        "The name or the id of the cohort holds a NUL character (U+0000), or more than 500 characters.",
        "Correct it in the source; check cohort_field and cohort_id_field.",
    ),
    Reason.UNKNOWN_OPERATION: Explanation(
        "Neither add nor remove",
        "The operation of this row is not a word for adding or removing.",
        "Map it to add or remove in SQL, or with stream_maps.",
    ),
    Reason.MISSING_MEMBER: Explanation(
        "No member",
        "The column of the member is empty in this row.",
        "Leave such rows out of the source.",
    ),
    Reason.INVALID_MEMBER: Explanation(
        "Not an address or a record id",
        "The value is not an email address (which has one @), not a record id (a positive whole number), or, with "
        "match_by: property, neither text nor a number, or longer than 500 characters.",
        "Correct it in the source. Where it is so for all rows, check match_by and match_field.",
    ),
    Reason.INVALID_EMAIL: Explanation(
        "Address is not well-formed",
        "HubSpot does not know the address, and no contact can be created for one that is not well-formed.",
        "Correct the address in the source.",
    ),
    Reason.REFUSED_BY_HUBSPOT: Explanation(
        "Refused by HubSpot",
        "HubSpot refuses this contact; the report has HubSpot's message and a correlation id.",
        "Often the domain of the address is misspelt, or the portal wants more than an address of a new contact.",
    ),
    Reason.LIST_NOT_WRITABLE: Explanation(
        "The list is an active list",
        "HubSpot fills this list from filters, and no members can be added to it or removed from it.",
        "Name a static list in lists, or make one in HubSpot.",
    ),
    Reason.LIST_REFUSED: Explanation(
        "The list cannot be changed",
        "HubSpot refused every change of this list, although it knows the contacts.",
        "Open the list in HubSpot: it may be archived, or this key may not be allowed to change it.",
    ),
    Reason.LIST_UNREADABLE: Explanation(
        "The list cannot be read",
        "HubSpot did not return the members of this list, or is still processing it.",
        "Run again later. If it stays, open the list in HubSpot.",
    ),
    Reason.LIST_LOCKED: Explanation(
        "Another run used the list",
        "Another run held this list for longer than this one waited.",
        "Run again when the other run has ended, and schedule the two apart.",
    ),
    Reason.LIST_GONE: Explanation(
        "The list was deleted",
        "The list was deleted in HubSpot during the run.",
        "Restore it in HubSpot, or run again with all members of the cohort to fill a new one.",
    ),
    Reason.LIST_ABSENT: Explanation(
        "There is no such list",
        "HubSpot has no list of this name or id, and none was created.",
        "Make the list in HubSpot, correct its name or id in lists, or set create_lists: true.",
    ),
    Reason.TOO_MANY_NEW_LISTS: Explanation(
        "Too many new lists",
        "This run would have made more new lists than max_new_lists allows.",
        "Check that cohort_field names the column of the cohort. If so many lists are meant, raise max_new_lists.",
    ),
    Reason.LIST_NAME_TAKEN: Explanation(
        "The name of the list is taken",
        "HubSpot makes no list of this name: a deleted list, or a list of companies or deals, may have it. Or it is "
        "the list of another cohort, which had this name until now.",
        "Restore or rename that list in HubSpot, or name another list for this cohort in lists. If another cohort "
        "was renamed, run again.",
    ),
}

PROPERTY_REASONS: Mapping[str, Explanation] = {
    PropertyReason.NOT_TEXT: Explanation(
        "Not text",
        "The value is an object or an array, and the property takes text.",
        "Map a field within it, or turn it into text in SQL.",
    ),
    PropertyReason.TOO_LONG: Explanation(
        "Too long", "The text has more than 65,536 characters.", "Shorten it in SQL."
    ),
    PropertyReason.NOT_A_NUMBER: Explanation(
        "Not a number",
        "The value is not a number, or can be read as two different numbers.",
        "Write numbers with a decimal point and without thousands separators.",
    ),
    PropertyReason.NOT_A_BOOL: Explanation(
        "Neither yes nor no",
        "The value is none of the words for yes or no.",
        "Write true or false.",
    ),
    PropertyReason.NOT_AN_OPTION: Explanation(
        "No such option",
        "The portal has no such option of this property, or two that differ in upper and lower case only.",
        "Add the option in HubSpot, or map the value in SQL.",
    ),
    PropertyReason.NOT_A_DATE: Explanation(
        "Not a date", "The value is neither an ISO date nor an epoch.", "Write it as 2026-11-22."
    ),
    PropertyReason.NOT_A_DATETIME: Explanation(
        "Not a date and time",
        "The value is neither an ISO date-time nor an epoch.",
        "Write it as 2026-11-22T03:15:00Z.",
    ),
    PropertyReason.UNANSWERED: Explanation(
        "No answer",
        "HubSpot's answer did not name this contact, in two calls: the values may have been written or not.",
        "Run again. If it stays, look at the property and at the contact in HubSpot.",
    ),
    PropertyReason.REFUSED_BY_HUBSPOT: Explanation(
        "Refused by HubSpot",
        "HubSpot refuses the value, for instance because another contact has the same value of a unique property.",
        "Look at the property and at the contact in HubSpot.",
    ),
}

# Why a member cannot be mailed, by the properties of the contact; of several reasons the first counts.
MAILABILITY: Mapping[str, Explanation] = {
    Mailability.MAILABLE: Explanation(
        "Can be mailed", "No property of the contact says that HubSpot does not mail it."
    ),
    Mailability.OPTED_OUT: Explanation(
        "Unsubscribed",
        "The person has unsubscribed from all email of this portal.",
        "Respect it. Only the person can subscribe again.",
    ),
    Mailability.BAD_ADDRESS: Explanation(
        "Bad address",
        "HubSpot considers the address invalid.",
        "Correct the address of the contact.",
    ),
    Mailability.HARD_BOUNCED: Explanation(
        "Bounced",
        "An earlier email to this address came back for good: the mailbox or its domain does not exist.",
        "Ask for another address, or take the person out of the cohort.",
    ),
    Mailability.QUARANTINED: Explanation(
        "Quarantined",
        "HubSpot stopped mailing the address to protect the portal's reputation as a sender.",
        "Review it in HubSpot's email health tool.",
    ),
    Mailability.INELIGIBLE: Explanation(
        "Not eligible",
        "HubSpot does not mail this contact for another reason.",
        "Open the contact in HubSpot: the reason is shown beside the address.",
    ),
    Mailability.NOT_MARKETING: Explanation(
        "Not a marketing contact",
        "Marketing emails go to marketing contacts only, and this contact is none.",
        "Set the contacts of this list as marketing contacts in HubSpot. They count in what HubSpot bills.",
    ),
}


def explained(code: str, *tables: Mapping[str, Explanation]) -> Explanation:
    """Return the explanation of a code from the first of the tables that has it; else the code as plain words."""
    for table in tables or (REASONS, OUTCOMES):
        if code in table:
            return table[code]
    words = code.replace("_", " ").strip().capitalize() or "Unknown"
    return Explanation(words, "This version does not know it: see the documentation of a newer version.")
