from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from hubspot_singer.plugin.logs import ERASE_LINE, TerminalFormatter, keep_log_readable, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

PERSON = "ada.private@example.com"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    factory = logging.getLogRecordFactory()
    keep_log_readable()
    with caplog.at_level("DEBUG"):
        yield caplog
    logging.setLogRecordFactory(factory)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("VIP\nERROR forged\r\n", r"VIP\nERROR forged\r\n"),
        ("\x1b[31mred\x00\x85", r"\x1b[31mred\x00\x85"),
        ("a\u2028b\u202ec\ud800", r"a\u2028b\u202ec\ud800"),
        ("Zoë 👩‍👧 ТОП 東京", "Zoë 👩‍👧 ТОП 東京"),
    ],
)
def test_unreadable_characters_are_written_out(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_a_record_is_one_line_without_people_wherever_its_parts_come_from(
    log: pytest.LogCaptureFixture,
) -> None:
    logging.getLogger("a.library").warning('List "%s" of\n%s', "VIP\x1b", PERSON)
    logging.getLogger("a.library").warning(f"100 % of {PERSON}\n")  # noqa: G004 - as a library may do

    assert log.messages == ['List "VIP\\x1b" of\\n<email>', "100 % of <email>\\n"]
    assert all(record.args is None for record in log.records)


def test_a_message_that_does_not_fit_its_arguments_is_logged_all_the_same(
    log: pytest.LogCaptureFixture,
) -> None:
    logging.getLogger("a.library").warning("%d records", "many")

    assert log.messages == ["%d records"]


def test_the_trace_of_an_exception_follows_in_lines_of_its_own_without_people(
    log: pytest.LogCaptureFixture,
) -> None:
    contacts: dict[str, str] = {}
    try:
        contacts[f"{PERSON}\x1b"]
    except KeyError:
        logging.getLogger("a.library").exception("Failed.")

    first, *trace = log.messages[0].splitlines()
    assert first == "Failed."
    assert trace[0] == "Traceback (most recent call last):"
    assert "KeyError" in trace[-1]
    assert PERSON not in log.text
    assert "\x1b" not in log.text


@pytest.mark.parametrize(("level", "line"), [("INFO", "2 lists made."), ("ERROR", "ERROR: 2 lists made.")])
def test_a_terminal_shows_the_message_and_the_level_only_of_what_needs_a_look(level: str, line: str) -> None:
    record = logging.LogRecord("any", logging.getLevelName(level), "any", 1, "%d lists made.", (2,), None)

    assert TerminalFormatter().format(record) == f"{ERASE_LINE}{line}"
