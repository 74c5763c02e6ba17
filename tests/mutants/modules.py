"""The modules that are changed, and for each the tests that say what it promises."""

from __future__ import annotations

TARGET, TAP, HTTP = "target_hubspot_lists", "tap_hubspot_email_events", "hubspot_singer/http"

# By module: what is enough to notice a change, the fastest tests first.
TESTS: dict[str, tuple[str, ...]] = {
    f"{HTTP}/retries.py": (f"{HTTP}/test_retries.py", f"{HTTP}/test_client.py"),
    f"{HTTP}/limits.py": (f"{HTTP}/test_limits.py", f"{HTTP}/test_rate_limiter.py", f"{HTTP}/test_client.py"),
    f"{TAP}/bookmarks.py": (
        f"{TAP}/test_bookmarks.py",
        f"{TAP}/test_bookmarking.py",
        f"{TAP}/test_resume.py",
    ),
    f"{TAP}/plans.py": (f"{TAP}/test_plans.py", f"{TAP}/test_readers.py"),
    f"{TAP}/widths.py": (f"{TAP}/test_widths.py", f"{TAP}/test_plans.py", f"{TAP}/test_readers.py"),
    f"{TAP}/windows.py": (f"{TAP}/test_windows.py", f"{TAP}/test_plans.py", f"{TAP}/test_readers.py"),
    f"{TARGET}/outcomes.py": (
        f"{TARGET}/test_outcomes.py",
        f"{TARGET}/test_memberships.py",
        f"{TARGET}/test_refusals.py",
        f"{TARGET}/test_report.py",
        f"{TARGET}/test_memory.py",
    ),
    f"{TARGET}/hubspot/refusals.py": (
        f"{TARGET}/test_who_is_at_fault.py",
        f"{TARGET}/test_changes.py",
        f"{TARGET}/test_refusals.py",
        f"{TARGET}/test_fallbacks.py",
    ),
    f"{TARGET}/hubspot/membership_changes.py": (
        f"{TARGET}/test_changes.py",
        f"{TARGET}/test_refusals.py",
        f"{TARGET}/test_odd_answers.py",
    ),
    f"{TARGET}/input/records.py": (
        f"{TARGET}/test_records.py",
        f"{TARGET}/test_memberships.py",
        f"{TARGET}/test_operations.py",
    ),
    f"{TARGET}/input/parsing.py": (
        f"{TARGET}/test_parsing.py",
        f"{TARGET}/test_memberships.py",
        f"{TARGET}/test_operations.py",
        f"{TARGET}/test_bad_input.py",
        f"{TARGET}/test_settings.py",
        f"{TARGET}/test_target.py",
    ),
    f"{TARGET}/mirror/evidence.py": (
        f"{TARGET}/test_evidence.py",
        f"{TARGET}/test_mirror_proofs.py",
        f"{TARGET}/test_mirror.py",
        f"{TARGET}/test_mirror_unusable_rows.py",
        f"{TARGET}/test_mirror_state.py",
    ),
    f"{TARGET}/mirror/guards.py": (
        f"{TARGET}/test_guards.py",
        f"{TARGET}/test_mirror.py",
        f"{TARGET}/test_mirror_settings.py",
        f"{TARGET}/test_held_back_removals.py",
        f"{TARGET}/test_list_owners.py",
        f"{TARGET}/test_memory_mirror.py",
    ),
    f"{TARGET}/sync/plans.py": (
        f"{TARGET}/test_last_words.py",
        f"{TARGET}/test_merged_contacts.py",
        f"{TARGET}/test_memory.py",
        f"{TARGET}/test_changes.py",
    ),
    f"{TARGET}/sync/destinations.py": (
        f"{TARGET}/test_routes.py",
        f"{TARGET}/test_lists.py",
        f"{TARGET}/test_list_creation_noted.py",
        f"{TARGET}/test_list_owners.py",
        f"{TARGET}/test_unusable_lists.py",
        f"{TARGET}/test_memory_lists.py",
    ),
}
