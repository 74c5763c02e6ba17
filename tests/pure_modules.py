"""The modules that only know and decide: values in, values out, and no input or output.

test_layers.py holds them to that, and `make coverage` asks for all of their branches, since values reach each.
"""

from __future__ import annotations

PURE_MODULES = {
    "hubspot_singer/http": (
        "answers",
        "connection",
        "errors",
        "limits",
        "redaction",
        "retries",
    ),
    "tap_hubspot_email_events": (
        "bookmarks",
        "campaigns",
        "columns",
        "derived_values",
        "digests",
        "events",
        "kinds",
        "moments",
        "plans",
        "records",
        "report",
        "texts",
        "widths",
        "windows",
    ),
    "target_hubspot_lists": ("identifiers", "outcomes"),
    "target_hubspot_lists/hubspot": ("audience_names", "spellings"),
    "target_hubspot_lists/input": ("attributes", "property_values", "records"),
    "target_hubspot_lists/mirror": ("evidence", "guards"),
    "target_hubspot_lists/report_page": (
        "histories",
        "lines",
        "wording",
    ),
}
PATHS = [f"{folder}/{name}.py" for folder, names in PURE_MODULES.items() for name in names]

if __name__ == "__main__":
    print(",".join(PATHS))
