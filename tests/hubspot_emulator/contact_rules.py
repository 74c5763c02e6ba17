"""What HubSpot checks before it writes a contact."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.hubspot_emulator.answers import HubSpotError
from tests.hubspot_emulator.emails import is_valid_email

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.hubspot_emulator.portal import Portal
    from tests.hubspot_emulator.properties import Property

LONGEST_VALUE = (
    65_536  # characters: https://developers.hubspot.com/docs/api-reference/legacy/crm/properties/guide
)
MS_PER_DAY = 86_400_000
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def check_new_contact(portal: Portal, properties: Mapping[str, str]) -> None:
    """Refuse a contact that HubSpot would not create; say nothing otherwise."""
    check_values(portal, properties)
    if not any(properties.get(name) for name in ("email", "firstname", "lastname")):
        raise _refusal("email", "MISSING_IDENTITY", "A contact needs an email, a firstname or a lastname.")
    _check_required(properties, portal.required_properties)
    _check_free(portal, properties, None)


def check_changed_contact(portal: Portal, number: int, properties: Mapping[str, str]) -> None:
    """Refuse a change that HubSpot would not make."""
    check_values(portal, properties)
    _check_required(properties, portal.required_properties & properties.keys())
    _check_free(portal, properties, number)


def check_values(portal: Portal, properties: Mapping[str, str]) -> None:
    for name, value in properties.items():
        definition = portal.properties.find(name)
        if definition is None:
            raise _refusal(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
        if definition.read_only:
            raise _refusal(
                name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'
            )
        if value != "":
            _check_value(definition, value)


def _check_value(definition: Property, value: str) -> None:
    name = definition.name
    if len(value) > LONGEST_VALUE:
        raise _refusal(name, "TOO_LONG", f"Value was over {LONGEST_VALUE} characters")
    if name == "email" and not is_valid_email(value):
        raise _refusal(name, "INVALID_EMAIL", f"Email address {value} is invalid")
    match definition.type:
        case "number" if _NUMBER.fullmatch(value) is None:
            raise _refusal(name, "INVALID_NUMBER", f"{value} was not a valid number.")
        case "bool" if value not in {"true", "false"}:
            raise _refusal(
                name, "INVALID_OPTION", f"{value} was not one of the allowed options: [true, false]"
            )
        case "enumeration":
            _check_options(definition, value)
        case "date" if not _is_date(value):
            raise _refusal(name, "INVALID_DATE", f"{value} was not a valid date: it must be at midnight UTC.")
        case "datetime" if not _is_moment(value):
            raise _refusal(name, "INVALID_DATE", f"{value} was not a valid datetime.")


def _check_options(definition: Property, value: str) -> None:
    allowed = {option.value for option in definition.options}
    # Several values are joined by ";", and a leading ";" appends to what is there.
    chosen = value.lstrip(";").split(";") if definition.field_type == "checkbox" else [value]
    for each in chosen:
        if each not in allowed:
            message = f"{each} was not one of the allowed options: {sorted(allowed)}"
            raise _refusal(definition.name, "INVALID_OPTION", message)


def _is_date(value: str) -> bool:
    if _DATE.fullmatch(value):
        return _is_iso(value)
    return _is_epoch_ms(value) and int(value) % MS_PER_DAY == 0


def _is_moment(value: str) -> bool:
    return _is_epoch_ms(value) or _is_iso(value)


def _is_epoch_ms(value: str) -> bool:
    return re.fullmatch(r"-?\d{1,15}", value) is not None


def _is_iso(value: str) -> bool:
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def _check_required(properties: Mapping[str, str], required: set[str]) -> None:
    """Enforce the portal's own rules at every version; HubSpot's announcement names 2026-09 only.

    https://developers.hubspot.com/changelog/crm-api-write-validation-enforcement
    """
    for name in sorted(required):
        if not properties.get(name):
            raise _refusal(name, "REQUIRED_PROPERTY", f'Property "{name}" is required')


def _check_free(portal: Portal, properties: Mapping[str, str], number: int | None) -> None:
    email = properties.get("email")
    if email:
        holder = portal.contacts.number_of(email)
        if holder is not None and holder != number:
            raise HubSpotError(409, "CONFLICT", f"Contact already exists. Existing ID: {holder}")
    for name, value in properties.items():
        definition = portal.properties.find(name)
        if name != "email" and value and definition is not None and definition.unique:
            _check_unique(portal, name, value, number)


def _check_unique(portal: Portal, name: str, value: str, number: int | None) -> None:
    holder = portal.contacts.number_by(name, value)
    if holder is not None and holder != number:
        message = f"Cannot set {name}: the value is held by contact {holder}"
        raise HubSpotError(409, "CONFLICT", message)


def _refusal(name: str, code: str, message: str) -> HubSpotError:
    """Give HubSpot's 400: the details are JSON within the message's string, and again in `errors`."""
    detail = json.dumps([{"isValid": False, "message": message, "error": code, "name": name}])
    return HubSpotError(
        400,
        "VALIDATION_ERROR",
        f"Property values were not valid: {detail}",
        errors=[{"message": message, "code": code, "context": {"propertyName": [name]}}],
    )
