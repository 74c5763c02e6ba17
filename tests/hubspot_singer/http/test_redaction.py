from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspot_singer.http import redact
from hubspot_singer.http.redaction import Redactor


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Contact ada@example.com. Existing ID: 7", "Contact <email>. Existing ID: 7"),
        ("/contacts/ada.l%2Bx%40example.com/x", "/contacts/<email>/x"),
        ('{"email":"ada@example.com"}', '{"email":"<email>"}'),
        ("<ADA@EXAMPLE.CO.UK>,bob@[127.0.0.1]", "<<email>>,<email>[127.0.0.1]"),
        ("o'brien+tag@exämple.de is wrong", "<email> is wrong"),
        ("ada@", "<email>"),
        ("token pat-na1-0a1b-2c is dead", "token <token> is dead"),
        ("Authorization: Bearer CJ3k.x_y-z, done", "Authorization: Bearer <token>, done"),
        ("a=1&refresh_token=na1-2-3&b=2", "a=1&refresh_token=<secret>&b=2"),
        ('{"client_secret": "1-2-3"}', '{"client_secret": "<secret>"}'),
        ("list 42 is ACTIVE", "list 42 is ACTIVE"),
        ("A\uff20example.com, a\ufe6bexample.com", "<email>, <email>"),
        ("/contacts/a%EF%BC%A0example.com/x", "/contacts/<email>/x"),
        ('List ""john doe"@example.com" is new', 'List "<email>" is new'),
        (r'{"name": "\"john doe\"@example.com"}', r'{"name": <email>"}'),
        (r'"john \"d\" doe"@example.com', "<email>"),
        ('"VIP" and "ada@example.com"', '"VIP" and "<email>"'),
        (
            "write postgresql://user:password@host/database",
            "write postgresql://user:password@host/database",
        ),
        ("postgresql://ada:p@ss/w0rd@db.example.com/x", "postgresql://ada:<secret>@db.example.com/x"),
        ("postgresql://ada%40example.com:pw@db/x", "postgresql://<email>:<secret>@db/x"),
        ("https://ada@example.com/lists", "https://<email>/lists"),
        ("http://user:other@proxy:8080", "http://user:<secret>@proxy:8080"),
    ],
)
def test_people_and_tokens_are_replaced(text: str, redacted: str) -> None:
    assert redact(text) == redacted


def test_the_secrets_given_are_replaced_the_longest_first() -> None:
    assert redact("abc abcdef", secrets=["abc", "abcdef"]) == "<secret> <secret>"


def test_a_redactor_learns_tokens_and_forgets_nothing() -> None:
    redactor = Redactor(["first", ""])
    redactor.add("second")

    assert redactor("first second third") == "<secret> <secret> third"


@given(st.text(), st.emails(), st.text())
def test_no_email_address_survives(before: str, email: str, after: str) -> None:
    assert email not in redact(f"{before} {email} {after}")


@pytest.mark.parametrize("text", ["x", '"', '"x', "a://", "a://b:", "x://y:z ", "\\", '\\"'])
def test_long_text_is_redacted_in_a_moment(text: str) -> None:
    started = time.process_time()

    redact(text * (100_000 // len(text)))

    assert time.process_time() - started < 2
