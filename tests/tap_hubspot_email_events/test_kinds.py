from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_hubspot_email_events import kinds
from tap_hubspot_email_events.derived_values import operating_system
from tap_hubspot_email_events.kinds import Misfit, campaign_parameter

if TYPE_CHECKING:
    from tap_hubspot_email_events.kinds import Kind

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
LINK = "https://example.org/?utm_source=news%20letter&a=b&utm_source=second&utm_medium=&utm_term=%00x#utm_content=no"


@pytest.mark.parametrize(
    ("kind", "value", "converted"),
    [
        (kinds.TEXT, "text", "text"),
        (kinds.TEXT, "", ""),
        (kinds.TEXT, "Zoë 🎉", "Zoë 🎉"),
        (kinds.TEXT, 550, "550"),
        (kinds.TEXT, True, "true"),
        (kinds.TEXT, ["5.1.1"], '["5.1.1"]'),
        (kinds.TEXT, 2**70, "1180591620717411303424"),
        (kinds.USER_ID, [2**70], "[1180591620717411303424]"),
        (kinds.INTEGER, 310_000_001, 310_000_001),
        (kinds.INTEGER, "310000001", 310_000_001),
        (kinds.INTEGER, "-3", -3),
        (kinds.INTEGER, 12.0, 12),
        (kinds.INTEGER, "12.0", 12),
        (kinds.INTEGER, "1.7E12", 1_700_000_000_000),
        (kinds.INTEGER, 1.7e12, 1_700_000_000_000),
        (kinds.INTEGER, "9223372036854775807", 2**63 - 1),
        (kinds.NUMBER, 45.76, 45.76),
        (kinds.NUMBER, 45, 45),
        (kinds.NUMBER, "45.76", 45.76),
        (kinds.BOOLEAN, False, False),
        (kinds.BOOLEAN, "TRUE", True),
        (kinds.MOMENT, 1_795_000_000_123, "2026-11-18T11:06:40.123Z"),
        (kinds.MOMENT, "1795000000123", "2026-11-18T11:06:40.123Z"),
        (kinds.MOMENT, 1.795e12, "2026-11-18T11:06:40.000Z"),
        (kinds.USER_ID, "  Ada@Example.COM ", "ada@example.com"),
        (kinds.USER_ID, "   ", None),
        (kinds.OS_NAME, IPHONE, "iOS"),
        (kinds.OS_VERSION, IPHONE, "17.1.2"),
        (kinds.OS_NAME, "feedback-loop/1.0", None),
        (kinds.OS_VERSION, "", None),
        (kinds.ANY_OBJECT, {"a": [1]}, {"a": [1]}),
        (campaign_parameter("utm_source"), LINK, "news letter"),
        (campaign_parameter("utm_medium"), LINK, None),
        (campaign_parameter("utm_term"), LINK, "\ufffdx"),
        (campaign_parameter("utm_content"), LINK, None),
        (campaign_parameter("utm_source"), "https://[::1/?utm_source=x", "x"),
        (campaign_parameter("utm_source"), "not a link", None),
        (campaign_parameter("utm_source"), 5, None),
    ],
)
def test_values_become_what_their_column_declares(kind: Kind, value: Any, converted: Any) -> None:
    assert kind.convert(value) == converted


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (kinds.INTEGER, "12a"),
        (kinds.INTEGER, "٣"),
        (kinds.INTEGER, ""),
        (kinds.INTEGER, 1.5),
        (kinds.INTEGER, "1.5"),
        (kinds.INTEGER, "NaN"),
        (kinds.INTEGER, "Infinity"),
        (kinds.INTEGER, "1E999999999"),
        (kinds.INTEGER, True),
        (kinds.INTEGER, 2**63),
        (kinds.INTEGER, str(2**63)),
        (kinds.INTEGER, "9" * 5000),
        (kinds.NUMBER, "north"),
        (kinds.NUMBER, float("nan")),
        (kinds.NUMBER, "1e999"),
        (kinds.NUMBER, False),
        (kinds.NUMBER, [1]),
        (kinds.BOOLEAN, 1),
        (kinds.BOOLEAN, "yes"),
        (kinds.MOMENT, -1),
        (kinds.MOMENT, 2**62),
        (kinds.MOMENT, "2026-11-18"),
        (kinds.ANY_OBJECT, "Safari"),
    ],
)
def test_what_a_column_cannot_hold_does_not_fit(kind: Kind, value: Any) -> None:
    with pytest.raises(Misfit):
        kind.convert(value)


def test_what_is_remembered_of_a_user_agent_is_its_beginning() -> None:
    first, second = (operating_system(f"{IPHONE} {' ' * 1_000}{letter * 100_000}") for letter in "ab")

    assert first.name == "iOS"
    assert second is first  # no other 100 kB are held for it
