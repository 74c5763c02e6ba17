"""Campaigns by name, from sent to clicked, as SQL found them in a warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.report_page.campaigns import NoCampaigns, read_campaigns
from tests.target_hubspot_lists.report_page.lines import list_line, run_line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.target_hubspot_lists.report_page.conftest import PageMaker

NOTES: dict[str, Any] = {
    "kind": "campaign",
    "campaign_id": "4/113",
    "name": "November notes",
    "subject": "What is new in November",
    "sent_at": "2026-11-22T06:00:00Z",
    "sent": 400,
    "delivered": 380,
    "opened": 190,
    "clicked": 38,
    "dropped": 7,
    "bounced": 20,
    "unsubscribed": 4,
    "reported_spam": 1,
}


def day(date: str, **people: int) -> dict[str, Any]:
    return {"kind": "day", "campaign_id": "4/113", "day": date, **people}


def test_a_campaign_is_told_by_name_from_sent_to_clicked_with_rates(page_of: PageMaker) -> None:
    page = page_of(campaigns=[NOTES])

    assert "HubSpot email campaigns" in page.text
    assert "November notes\n22 Nov 2026\n400\n380\n95 %\n190\n50 %\n38\n10 %\n20\n5 %\n4\n1.1 %" in page.text
    assert "Clicked\n38\n9.5 %\n20 %" in page.text
    assert "What is new in November" in page.text
    assert not page.csv_path.exists()


def test_bounces_are_told_by_category_and_losses_with_them(page_of: PageMaker) -> None:
    bounces = {"UNKNOWN_USER": 15, "MAILBOX_FULL": 5}
    page = page_of(
        campaigns=[
            NOTES,
            *(
                {"kind": "bounce", "campaign_id": "4/113", "category": c, "people": p}
                for c, p in bounces.items()
            ),
        ]
    )

    assert (
        "Bounced\n20\n5 % of sent\n↳ Unknown user\n15\n75 % of bounced\n↳ Mailbox full\n5\n25 %" in page.text
    )
    assert "Unsubscribed\n4\n1.1 % of delivered" in page.text
    assert "Not sent (dropped by HubSpot)\n7" in page.text


def test_days_are_told_and_those_on_which_nothing_happened_are_drawn(page_of: PageMaker) -> None:
    page = page_of(
        campaigns=[
            NOTES,
            day("2026-11-22", opened=100, clicked=20),
            day("2026-11-25", opened=9, unsubscribed=4),
        ]
    )

    assert "22 Nov 2026\n100\n20\n0\n0\n25 Nov 2026\n9\n0\n0\n4" in page.text
    assert "24 Nov 2026: 0 opened, 0 clicked" in page.html


def test_campaigns_stand_beside_lists_on_one_page(page_of: PageMaker) -> None:
    page = page_of(list_line(added=1), run_line(), campaigns=[NOTES])

    assert "The list is in place." in page.text
    assert "From sent to clicked" in page.text


def test_a_campaign_without_a_name_goes_by_its_subject_and_the_newest_comes_first(page_of: PageMaker) -> None:
    older = NOTES | {
        "campaign_id": "3",
        "name": None,
        "subject": "October",
        "sent_at": "2026-10-01T00:00:00Z",
    }

    page = page_of(campaigns=[older, NOTES])

    assert page.text.index("November notes") < page.text.index("October")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("sent,opened\n", 'Line 1 of "{path}" is no JSON object'),
        ('{"kind":"campaign","campaign_id":1}\n[1]\n', 'Line 2 of "{path}" is no JSON object'),
        (
            '{"kind":"campaign","campaign_id":1}\n{"kind":"day","campaign_id":1,"day":"soon"}\n',
            'Line 2 of "{path}" has no day',
        ),
    ],
)
def test_a_file_of_something_else_is_named_with_the_line(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "campaigns.jsonl"
    path.write_text(content)

    with pytest.raises(NoCampaigns) as raised:
        read_campaigns(path)

    assert said.format(path=path) in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoCampaigns, match=r"campaigns.jsonl.*No such file"):
        read_campaigns(tmp_path / "campaigns.jsonl")


def test_counts_that_are_no_numbers_are_none(tmp_path: Path) -> None:
    path = tmp_path / "campaigns.jsonl"
    path.write_text('{"kind":"campaign","campaign_id":1,"sent":"many","opened":-1,"clicked":true}\n')

    (campaign,) = read_campaigns(path)

    assert campaign.name == "Campaign 1"
    assert not any(campaign.people.values())
    assert campaign.rate("opened", "sent") is None
