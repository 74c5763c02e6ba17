"""The page in a real browser: it sorts, filters, pages, copies, prints, and can be used by everybody."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest

from target_hubspot_lists.reporting.text_tables import is_formula
from tests.browsers import AXE, NoBrowser, OpenPage, chromium
from tests.target_hubspot_lists.report_page.lines import list_line, member_line, run_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.target_hubspot_lists.report_page.conftest import MadePage, PageMaker

    Opener = Callable[..., OpenPage]

needs_axe = pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: make axe")

SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("https://evil.example","x")'
ARABIC, HEBREW = "عملاء مميزون في القاهرة", "לקוחות VIP"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as started:
            yield started
    except NoBrowser as reason:
        pytest.skip(str(reason))


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opener]:
    """Open a page; nothing may be said on its console, and nothing but its file be asked for."""
    pages: list[OpenPage] = []

    def open_page(made: MadePage, *, width: int = 1280, dark: bool = False) -> OpenPage:
        page = OpenPage.of(browser, made.path, width=width, dark=dark)
        assert page.requests == [made.path.as_uri()]
        pages.append(page)
        return page

    yield open_page
    for each in pages:
        assert each.said == []
        assert {url.partition("#")[0] for url in each.requests} == {each.requests[0]}
        each.page.context.close()


def several(lists: int = 12, members: int = 60, runs: int = 5) -> list[dict[str, Any]]:
    """Lists with a history, of which the first three have members to look at; some names are unusual."""
    names = [
        "VIP",
        ARABIC,
        HEBREW,
        SCRIPT,
        FORMULA,
        "x" * 300,
        *(f"Segment {number}" for number in range(lists)),
    ]
    told: list[dict[str, Any]] = []
    for number in range(members):
        which = number % min(lists, 3)
        problem = {"outcome": "rejected", "reason": "invalid_email"} if number % 2 else {}
        told.append(
            member_line(
                f"person{number:03}@example.com", run=runs, name=names[which], list_id=str(which), **problem
            )
        )
    for run in range(1, runs + 1):
        for number in range(lists):
            missing = members // 6 if number < 3 else 0
            told.append(
                list_line(
                    run=run,
                    name=names[number],
                    list_id=str(number),
                    added=10 + number,
                    already_member=100,
                    removed=run,
                    missing=missing,
                    rejected=missing,
                    reasons={"invalid_email": missing} if missing else {},
                    size=100 + run,
                    mailability={"mailable": 90, "opted_out": 5} if number == 0 else {},
                )
            )
        told.append(run_line(run=run))
    return told


CAMPAIGNS = [
    {
        "kind": "campaign",
        "campaign_id": 1,
        "name": f"Notes {SCRIPT}",
        "subject": "November notes",
        "sent_at": "2026-11-22T06:00:00Z",
        "sent": 442,
        "delivered": 428,
        "opened": 206,
        "clicked": 63,
        "bounced": 14,
        "unsubscribed": 2,
    },
    {"kind": "bounce", "campaign_id": 1, "category": "UNKNOWN_USER", "people": 14},
    {"kind": "day", "campaign_id": 1, "day": "2026-11-22", "opened": 90, "clicked": 30, "bounced": 14},
    {"kind": "day", "campaign_id": 1, "day": "2026-11-23", "opened": 60, "clicked": 20, "unsubscribed": 2},
]


def test_members_are_sorted_by_the_keyboard(page_of: PageMaker, opened: Opener) -> None:
    page = opened(page_of(*several(), show_members=True))
    heading = page.page.get_by_role("button", name="Member", exact=True)

    heading.focus()
    page.page.keyboard.press("Enter")
    ascending = page.column("members", 1)
    page.page.keyboard.press("Space")
    descending = page.column("members", 1)

    assert ascending == [f"person{number:03}@example.com" for number in range(25)]
    assert descending == [f"person{number:03}@example.com" for number in range(59, 34, -1)]
    assert page.page.locator("#members th").first.get_attribute("aria-sort") == "descending"


def test_members_are_filtered_and_paged(page_of: PageMaker, opened: Opener) -> None:
    page = opened(page_of(*several(), show_members=True))
    status = page.page.locator("#members-status")
    assert status.inner_text() == "1 to 25 of 60"

    page.page.get_by_role("button", name="Next members").click()
    assert status.inner_text() == "26 to 50 of 60"

    page.page.get_by_label("List", exact=True).select_option(ARABIC)
    assert status.inner_text() == "20 rows"
    page.page.get_by_label("Search members").fill("PERSON04")
    assert page.column("members", 1) == [f"person{each}@example.com" for each in ("040", "043", "046", "049")]
    page.page.get_by_label("Search members").fill("nobody")
    assert status.inner_text() == "0 rows"


def test_what_is_found_is_copied_as_csv_in_which_nothing_is_a_formula(
    page_of: PageMaker, opened: Opener
) -> None:
    odd = [FORMULA, 'with "quotes", and a comma', SCRIPT, "+1", "\u200f=1"]
    page = opened(
        page_of(
            *(member_line(each, outcome="rejected", reason="invalid_member") for each in odd),
            member_line("ada@example.com"),
            run_line(),
            show_members=True,
        )
    )

    page.page.get_by_label("Search members").fill("Not an address")
    page.page.get_by_role("button", name="Copy as CSV").click()
    page.page.get_by_text("Copied 5 rows as CSV.").wait_for()
    copied = page.page.evaluate("navigator.clipboard.readText()")

    rows = list(csv.DictReader(io.StringIO(copied, newline="")))
    assert [row["member"].removeprefix("'") for row in rows] == odd
    assert not [value for row in rows for value in row.values() if is_formula(value)]
    assert rows[0]["what_to_do"].startswith("Correct it in the source.")


def test_a_member_links_to_its_contact_in_hubspot(page_of: PageMaker, opened: Opener) -> None:
    page = opened(page_of(member_line(record_id="30000000001", outcome="dropped"), run_line()))

    link = page.page.get_by_role("link", name="contact 30000000001 in HubSpot")

    assert link.get_attribute("href") == "https://app.hubspot.com/contacts/1234567/record/0-1/30000000001"


def test_lists_are_searched_sorted_and_paged(page_of: PageMaker, opened: Opener) -> None:
    page = opened(page_of(*several(lists=40)))
    assert page.page.locator("#lists-status").inner_text() == "1 to 25 of 40"

    page.page.get_by_label("Search lists").fill("segment 3")
    assert page.column("lists", 1) == ["Segment 3", *(f"Segment {number}" for number in range(30, 34))]

    page.page.get_by_label("Search lists").fill("")
    page.page.get_by_role("button", name="In place", exact=True).click()
    worst = page.column("lists", 1)[:3]
    assert set(worst) == {"VIP", ARABIC, HEBREW}


def test_the_link_of_a_list_opens_what_is_said_of_it(page_of: PageMaker, opened: Opener) -> None:
    page = opened(page_of(*several()))
    details = page.page.locator("details.card", has_text="Segment 5")
    assert details.get_attribute("open") is None

    page.page.get_by_role("link", name="Segment 5").click()

    assert details.get_attribute("open") is not None
    assert details.get_by_text("Last run").is_visible()


@pytest.mark.parametrize("name", [SCRIPT, FORMULA, ARABIC, HEBREW])
def test_a_name_is_shown_as_it_is(page_of: PageMaker, opened: Opener, name: str) -> None:
    page = opened(
        page_of(member_line(name, name=name, outcome="rejected"), list_line(name=name, rejected=1), run_line(),
                show_members=True)
    )  # fmt: skip

    assert page.column("lists", 1) == [name]
    assert page.column("members", 1) == [name]
    assert page.column("members", 2) == [name]


def test_a_name_from_right_to_left_leaves_its_neighbours_where_they_are(
    page_of: PageMaker, opened: Opener
) -> None:
    page = opened(page_of(list_line(name=f"{ARABIC} (3)", added=1, missing=4), run_line()))

    first = page.page.locator(".verdict p").nth(1)
    name, sentence = first.locator("bdi").bounding_box(), first.bounding_box()
    assert name is not None
    assert sentence is not None
    assert name["x"] - sentence["x"] < 2
    assert first.inner_text() == f"{ARABIC} (3): 4 of 5 are not in place."


def test_a_name_cannot_turn_what_stands_beside_it(page_of: PageMaker, opened: Opener) -> None:
    name = "\u202eelgoog"
    page = opened(
        page_of(member_line(name, name=name, outcome="rejected"), list_line(name=name, rejected=1), run_line(),
                show_members=True)
    )  # fmt: skip

    assert page.column("members", 1) == page.column("members", 2) == page.column("lists", 1) == ["elgoog"]


CASES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "no list": lambda: [run_line()],
    "one list": lambda: [member_line(), list_line(added=1, missing=1), run_line()],
    "several lists": several,
}


@needs_axe
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("case", CASES)
def test_the_accessibility_checker_finds_nothing_serious(
    page_of: PageMaker,
    opened: Opener,
    case: str,
    dark: bool,  # noqa: FBT001
) -> None:
    page = opened(page_of(*CASES[case](), campaigns=CAMPAIGNS), dark=dark)
    page.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")

    assert page.violations() == []


@needs_axe
def test_the_accessibility_checker_finds_nothing_serious_on_a_phone(
    page_of: PageMaker, opened: Opener
) -> None:
    page = opened(page_of(*several(), campaigns=CAMPAIGNS), width=360)

    assert page.violations() == []


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("case", CASES)
def test_no_width_makes_the_page_scroll_sideways(
    page_of: PageMaker, opened: Opener, case: str, width: int
) -> None:
    page = opened(page_of(*CASES[case](), campaigns=CAMPAIGNS, show_members=True), width=width)
    page.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")

    assert page.width_of_content() == width


def test_on_a_phone_each_cell_names_its_column(page_of: PageMaker, opened: Opener) -> None:
    page = opened(page_of(*several()), width=360)

    cell = page.page.locator("#members tbody tr").first.locator("td").nth(1)

    shown = cell.evaluate("each => getComputedStyle(each, '::before').content")
    assert shown == '"What"'


def test_light_and_dark_follow_the_system(page_of: PageMaker, opened: Opener) -> None:
    made = page_of(*several())
    light, dark = (
        opened(made, dark=each).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for each in (False, True)
    )

    assert light == "rgb(246, 246, 243)"
    assert dark == "rgb(20, 24, 27)"


def test_everything_can_be_reached_by_the_keyboard(page_of: PageMaker, opened: Opener) -> None:
    page = opened(page_of(*several(lists=3, members=30)))
    reached = []
    for _ in range(80):
        page.page.keyboard.press("Tab")
        reached.append(
            page.page.evaluate("document.activeElement.id || document.activeElement.innerText.trim()")
        )

    assert reached[0] == "Skip to the content"
    wanted = {"members-search", "members-list", "members-what", "members-copy", "members-next"}
    assert wanted <= set(reached)
    page.page.locator("#members-next").focus()
    page.page.keyboard.press("Enter")
    assert page.page.locator("#members-status").inner_text() == "26 to 30 of 30"
    assert page.page.evaluate("document.activeElement.id") == "members-next"


def test_printed_it_shows_every_list_and_no_buttons(page_of: PageMaker, opened: Opener) -> None:
    page = opened(page_of(*several(lists=5)))
    closed = page.page.locator("details.card:not([open])").count()
    page.page.emulate_media(media="print")

    page.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.page.locator("details:not([open])").count() == 0
    assert not page.page.locator("#members-tools").is_visible()
    assert page.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.page.set_viewport_size({"width": 680, "height": 900})  # what is left of A4 between its margins
    assert page.width_of_content() == 680
    assert page.page.pdf().startswith(b"%PDF")
    page.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.page.locator("details.card:not([open])").count() == closed


def test_without_a_script_the_csv_file_is_named(browser: Browser, page_of: PageMaker) -> None:
    made = page_of(member_line(), list_line(missing=1), run_line())
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(made.path.as_uri())

    assert "This table needs JavaScript, which is off: open the CSV file." in page.inner_text("body")
    assert "VIP" in page.inner_text("#lists")
    context.close()


def test_a_page_of_500_lists_is_there_at_once(page_of: PageMaker, opened: Opener) -> None:
    page = opened(page_of(*several(lists=500, members=900, runs=3)))

    assert page.page.locator("#lists-status").inner_text() == "1 to 25 of 500"
    ready = page.page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert ready < 10_000  # milliseconds; half a second where nothing else is at work
