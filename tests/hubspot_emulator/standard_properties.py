"""The properties that every portal has: two dozen of HubSpot's contact properties, one of each kind at least.

https://knowledge.hubspot.com/properties/hubspots-default-contact-properties
"""

from __future__ import annotations

STANDARD_GROUPS = {
    "contactinformation": "Contact information",
    "emailinformation": "Email information",
    "analyticsinformation": "Web analytics history",
}

_STAGES = (
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
)
_STATUSES = (
    "NEW",
    "OPEN",
    "IN_PROGRESS",
    "OPEN_DEAL",
    "UNQUALIFIED",
    "ATTEMPTED_TO_CONTACT",
    "CONNECTED",
    "BAD_TIMING",
)
_ROLES = (
    "BLOCKER",
    "BUDGET_HOLDER",
    "CHAMPION",
    "DECISION_MAKER",
    "END_USER",
    "EXECUTIVE_SPONSOR",
    "INFLUENCER",
)

_BOUNCE_REASONS = ("CONTENT", "MAILBOX_FULL", "OTHER", "POLICY", "SPAM", "UNKNOWN_USER")

# name, label, type, fieldType, values of an enumeration, flags: R read-only, C calculated, U unique
STANDARD_PROPERTIES: tuple[tuple[str, str, str, str, tuple[str, ...], str], ...] = (
    ("email", "Email", "string", "text", (), "U"),
    ("hs_additional_emails", "Additional email addresses", "enumeration", "checkbox", (), "R"),
    ("firstname", "First name", "string", "text", (), ""),
    ("lastname", "Last name", "string", "text", (), ""),
    ("phone", "Phone number", "string", "phonenumber", (), ""),
    ("mobilephone", "Mobile phone number", "string", "phonenumber", (), ""),
    ("company", "Company name", "string", "text", (), ""),
    ("jobtitle", "Job title", "string", "text", (), ""),
    ("website", "Website URL", "string", "text", (), ""),
    ("address", "Street address", "string", "text", (), ""),
    ("city", "City", "string", "text", (), ""),
    ("state", "State/Region", "string", "text", (), ""),
    ("zip", "Postal code", "string", "text", (), ""),
    ("country", "Country/Region", "string", "text", (), ""),
    ("message", "Message", "string", "textarea", (), ""),
    ("date_of_birth", "Date of birth", "string", "text", (), ""),
    ("followercount", "Follower count", "number", "number", (), ""),
    ("closedate", "Close date", "datetime", "date", (), ""),
    ("hs_job_change_detected_date", "Job change detected date", "date", "date", (), ""),
    ("lifecyclestage", "Lifecycle stage", "enumeration", "radio", _STAGES, ""),
    ("hs_lead_status", "Lead status", "enumeration", "radio", _STATUSES, ""),
    ("hs_buying_role", "Buying role", "enumeration", "checkbox", _ROLES, ""),
    ("hs_email_optout", "Unsubscribed from all email", "bool", "booleancheckbox", (), ""),
    ("hs_email_bad_address", "Invalid email address", "bool", "booleancheckbox", (), "R"),
    (
        "hs_email_hard_bounce_reason_enum",
        "Email hard bounce reason",
        "enumeration",
        "select",
        _BOUNCE_REASONS,
        "R",
    ),
    ("hs_email_quarantined", "Email address quarantined", "bool", "booleancheckbox", (), "R"),
    ("hs_email_is_ineligible", "Is globally ineligible", "bool", "booleancheckbox", (), "R"),
    (
        "hs_marketable_status",
        "Marketing contact status",
        "enumeration",
        "booleancheckbox",
        ("true", "false"),
        "R",
    ),
    ("hs_email_domain", "Email domain", "string", "text", (), "RC"),
    ("num_associated_deals", "Number of associated deals", "number", "number", (), "RC"),
    ("hs_merged_object_ids", "Merged record IDs", "enumeration", "checkbox", (), "R"),
    ("hs_object_id", "Record ID", "number", "number", (), "RU"),
    ("createdate", "Create date", "datetime", "date", (), "R"),
    ("lastmodifieddate", "Last modified date", "datetime", "date", (), "R"),
)
