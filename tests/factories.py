"""Singer messages with sensible defaults: a test says only what matters to it."""

from __future__ import annotations

import json
from typing import Any

STREAM = "cohort_members"
CONTACT_ID_COLUMNS = ("contact_id", "cohort_name", "operation")


def schema_message(*columns: str, stream: str = STREAM) -> str:
    """A SCHEMA with these columns; by default those of memberships by record id."""
    properties = {
        column: {"type": ["null", "string", "integer", "boolean"]} for column in columns or CONTACT_ID_COLUMNS
    }
    return json.dumps(
        {"type": "SCHEMA", "stream": stream, "schema": {"properties": properties}, "key_properties": []}
    )


def record_message(stream: str = STREAM, **record: Any) -> str:
    """A RECORD with these columns."""
    return json.dumps({"type": "RECORD", "stream": stream, "record": record})


def membership(cohort: str, member: Any, operation: Any = "add", *, stream: str = STREAM) -> str:
    """A RECORD that says by record id that a contact joins or leaves a cohort."""
    return record_message(stream, contact_id=member, cohort_name=cohort, operation=operation)


def state_message(value: Any) -> str:
    """A STATE."""
    return json.dumps({"type": "STATE", "value": value})


def email_schema(*more: str, stream: str = STREAM) -> str:
    """A SCHEMA of memberships by email address."""
    return schema_message("email", "cohort_name", "operation", *more, stream=stream)


def by_email(cohort: str, email: Any, operation: Any = "add", *, stream: str = STREAM) -> str:
    """A RECORD that says by email address that a contact joins or leaves a cohort."""
    return record_message(stream, email=email, cohort_name=cohort, operation=operation)


def activate_version(version: int, *, stream: str = STREAM) -> str:
    """An ACTIVATE_VERSION."""
    return json.dumps({"type": "ACTIVATE_VERSION", "stream": stream, "version": version})


def versioned(message: str, version: int) -> str:
    """The RECORD with a version."""
    return json.dumps(json.loads(message) | {"version": version})
