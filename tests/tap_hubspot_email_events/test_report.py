from __future__ import annotations

from tap_hubspot_email_events.report import StreamReport, table
from tap_hubspot_email_events.windows import Window

DAY = 86_400_000


def test_a_stream_that_was_read_to_its_end_has_no_problem() -> None:
    assert StreamReport("opens", windows=1, events=5).problems == []


def test_what_went_wrong_with_a_stream_is_named_in_sentences() -> None:
    report = StreamReport("opens", unidentified=2, incomplete=[Window(0, DAY)], failure="HubSpot said no.")

    unidentified, incomplete, failed = report.problems
    assert unidentified == (
        "opens: 2 events without an id or a time could not be passed on. All others were; show HubSpot's support if it"
        " stays so."
    )
    assert incomplete == (
        "opens: HubSpot has more events than it gives between 1970-01-01T00:00:00.000Z and 1970-01-02T00:00:00.000Z."
        " All others were passed on; to try again, move the stream's bookmark in the state back."
    )
    assert (
        failed == "opens: HubSpot said no. What was read before is kept, and the next run goes on from there."
    )


def test_the_table_has_a_sum_and_a_column_for_events_that_were_passed_over_if_there_are_any() -> None:
    opens, other = (
        StreamReport("opens", calls=12, events=3),
        StreamReport("other", calls=1, passed_over=1_000),
    )
    opens.add_window(Window(0, DAY))

    assert table([opens]).splitlines() == [
        "stream  windows  calls  events  span",
        "opens         1     12       3  1970-01-01T00:00:00.000Z to 1970-01-02T00:00:00.000Z",
        "total         1     12       3",
    ]
    assert table([opens, other]).splitlines()[2:] == [
        "other         0      1       0         1000  -",
        "total         1     13       3         1000",
    ]
