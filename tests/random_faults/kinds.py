"""The faults that a call can meet, and what the target promises to do after each."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.hubspot_emulator.answers import Answer
    from tests.random_faults.worlds import World


class Promise(Enum):
    """What the target does after a fault, as the documents' table of statuses says."""

    HARMLESS = auto()  # the run succeeds, however often the fault comes
    RETRIED = auto()  # the run succeeds if the fault comes once
    ENDS = auto()  # the run makes no other call
    # The run does not make this call again: it ends, or gives up the list that the call is about.
    TERMINAL = auto()
    # The run concludes nothing from the answer: it makes the call again, or does as after TERMINAL.
    GARBLED = auto()


@dataclass(frozen=True)
class Call:
    """One call of a run, by method, path and the number of earlier calls with the same ones."""

    method: str
    path: str
    number: int

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.number}"

    @property
    def pattern(self) -> re.Pattern[str]:
        """A pattern for the path with any query."""
        return re.compile(re.escape(self.path) + r"(\?.*)?")


@dataclass(frozen=True)
class Kind:
    """One fault: `strike` scripts it for a call, so many times (None: always)."""

    name: str
    promise: Promise
    strike: Callable[[World, Call, int | None], None]
    is_slow: bool = False  # whether a call ends with the client's time-out


RETRIED_STATUSES = (408, 423, 477, 502, 503, 504, 520, 521, 522, 523, 524)
TERMINAL_STATUSES = (400, 402, 403, 404, 405, 409, 410, 413, 414, 415, 422, 500, 501, 505, 525, 526, 530)
CATEGORIES = {
    400: "VALIDATION_ERROR",
    401: "INVALID_AUTHENTICATION",
    404: "OBJECT_NOT_FOUND",
    409: "CONFLICT",
    429: "RATE_LIMITS",
}
# Fields that HubSpot's schemas do not require, or that its answers are seen to leave out.
OPTIONAL = frozenset(
    {
        "size", "createdAt", "updatedAt", "filtersUpdatedAt", "listVersion", "processingStatus", "archived",
        "status", "startedAt", "requestedAt", "completedAt", "numErrors", "links", "correlationId",
        "membershipTimestamp", "total", "firstAddedTimestamp", "lastAddedTimestamp", "isPublicList",
        "objectWriteTraceId", "accountType", "timeZone", "companyCurrency", "additionalCurrencies", "utcOffset",
        "utcOffsetMilliseconds", "uiDomain", "dataHostingLocation", "scopes", "user_id", "token_use", "token_type",
        "appId", "userId", "description", "displayOrder", "hidden", "formField", "modificationMetadata",
        "calculated", "externalOptions", "hubspotDefined", "hasUniqueValue", "dataSensitivity",
    }
)  # fmt: skip
PATIENCE = 120.0  # seconds that the target waits for an answer; the simulated clock is moved on by as much


def kinds() -> dict[str, Kind]:
    """Return every fault by name."""
    return {kind.name: kind for kind in _all()}


def _all() -> Iterator[Kind]:
    for status in RETRIED_STATUSES:
        for effect in (False, True):
            yield _answer(f"{status}{_suffix(effect)}", Promise.RETRIED, status, effect)
    yield _answer("503-asks-to-wait", Promise.RETRIED, 503, headers={"Retry-After": "7"})
    yield _answer("503-asks-to-wait-too-long", Promise.ENDS, 503, headers={"Retry-After": "3600"})
    yield _answer("502-html", Promise.RETRIED, 502, body="<html><body>Bad gateway</body></html>")
    yield _answer("503-empty", Promise.RETRIED, 503, body="")
    for policy in ("TEN_SECONDLY_ROLLING", "SECONDLY", None):
        yield _answer(f"429-{policy or 'unnamed'}", Promise.RETRIED, 429, policy=policy)
    yield _answer("429-asks-to-wait", Promise.RETRIED, 429, headers={"Retry-After": "3"})
    yield _answer("429-DAILY", Promise.ENDS, 429, policy="DAILY")
    yield _answer("401", Promise.ENDS, 401)
    yield _answer("403-MISSING_SCOPES", Promise.ENDS, 403, category="MISSING_SCOPES")
    for status in TERMINAL_STATUSES:
        for effect in (False, True):
            yield _answer(f"{status}{_suffix(effect)}", Promise.TERMINAL, status, effect)
    yield _answer("400-html", Promise.TERMINAL, 400, body="<html><body>Bad request</body></html>")
    yield _answer("500-empty", Promise.TERMINAL, 500, body="")
    yield _answer("301", Promise.TERMINAL, 301, headers={"Location": "https://example.com/elsewhere"})
    yield Kind(
        "reset", Promise.RETRIED, lambda world, call, times: world.hubspot.faults.reset(**_at(call, times))
    )
    yield Kind(
        "reset-after",
        Promise.RETRIED,
        lambda world, call, times: world.hubspot.faults.accept_then_drop(**_at(call, times)),
    )
    yield Kind(
        "truncated",
        Promise.RETRIED,
        lambda world, call, times: world.hubspot.faults.truncate(**_at(call, times)),
    )
    yield Kind(
        "drip",
        Promise.HARMLESS,
        lambda world, call, times: world.hubspot.faults.drip(seconds=0.0005, **_at(call, times)),
    )
    yield Kind("hang", Promise.RETRIED, _hang(takes_effect=False), is_slow=True)
    yield Kind("hang-after", Promise.RETRIED, _hang(takes_effect=True), is_slow=True)
    for name, content in (
        ("html", b"<html><body>Hello</body></html>"),
        ("empty", b""),
        ("cut-json", b'{"results": ['),
    ):
        yield Kind(f"200-{name}", Promise.RETRIED, _changed(_Content(content)))
    for name, body in (("null", None), ("array", []), ("text", "done"), ("number", 7), ("object", {})):
        yield Kind(f"200-json-{name}", Promise.GARBLED, _changed(_Content(json.dumps(body).encode())))
    yield Kind("optional-absent", Promise.HARMLESS, _changed(_without_optional))
    for number in range(6):
        yield Kind(f"wrong-type-{number}", Promise.GARBLED, _changed(_WrongType(number)))


def _suffix(effect: bool) -> str:  # noqa: FBT001
    return "-after" if effect else ""


def _at(call: Call, times: int | None) -> dict[str, Any]:
    return {"method": call.method, "path_part": call.pattern, "after": call.number, "times": times}


def _answer(
    name: str,
    promise: Promise,
    status: int,
    takes_effect: bool = False,  # noqa: FBT001, FBT002
    *,
    category: str | None = None,
    policy: str | None = None,
    headers: dict[str, str] | None = None,
    body: str | None = None,
) -> Kind:
    def strike(world: World, call: Call, times: int | None) -> None:
        # HubSpot's messages quote what it was sent; the target has to leave addresses out where it passes them on.
        quoted = f"Scripted {status} for ada@example.com, flo@example.com and {world.hubspot.token}"
        envelope = {
            "status": "error",
            "message": quoted,
            "correlationId": "00000000-0000-4000-8000-0000000fa017",
        }
        envelope["category"] = category or CATEGORIES.get(status, "INTERNAL_ERROR")
        envelope |= {} if policy is None else {"policyName": policy, "errorType": "RATE_LIMIT"}
        world.hubspot.faults.next(
            status=status,
            body=envelope if body is None else body,
            headers=headers,
            takes_effect=takes_effect,
            **_at(call, times),
        )

    return Kind(name, promise, strike)


def _hang(*, takes_effect: bool) -> Callable[[World, Call, int | None], None]:
    def strike(world: World, call: Call, times: int | None) -> None:
        world.hubspot.faults.call(function=lambda: world.clock.sleep(PATIENCE), **_at(call, times))
        world.hubspot.faults.hang(takes_effect=takes_effect, **_at(call, times))

    return strike


def _changed(change: Callable[[Answer], Answer]) -> Callable[[World, Call, int | None], None]:
    """Return a strike that changes answers with a status of 2xx."""

    def strike(world: World, call: Call, times: int | None) -> None:
        def changed(answer: Answer) -> Answer:
            return change(answer) if 200 <= answer.status < 300 else answer

        world.hubspot.faults.change(change=changed, **_at(call, times))

    return strike


@dataclass(frozen=True)
class _Content:
    """Replaces the body of an answer."""

    content: bytes

    def __call__(self, answer: Answer) -> Answer:
        return replace(answer, content=self.content)


def _without_optional(answer: Answer) -> Answer:
    return replace(answer, body=_pruned(answer.body))


def _pruned(value: object) -> object:
    if isinstance(value, list):
        return [_pruned(each) for each in value]
    if isinstance(value, dict):
        return {name: _pruned(each) for name, each in value.items() if name not in OPTIONAL}
    return value


@dataclass(frozen=True)
class _WrongType:
    """Gives one part of an answer another type than HubSpot's schema says; the number chooses the part."""

    number: int

    def __call__(self, answer: Answer) -> Answer:
        body = json.loads(json.dumps(answer.body))
        parts = list(_parts(body))
        if not parts:
            return answer
        random = Random(f"{self.number} {len(parts)}")
        holder, key = random.choice(parts)
        value = holder[key]
        # No numbers: in place of a string of digits one would be the valid id of another contact.
        values = (None, "text", {"a": 1}, ["a"], True)
        others = [each for each in values if not isinstance(each, type(value))]
        holder[key] = random.choice(others)
        return replace(answer, body=body)


def _parts(value: object) -> Iterator[tuple[Any, Any]]:
    """Yield each place in a body that holds a required value, as container and key; not contacts' properties."""
    if isinstance(value, dict):
        for name, held in value.items():
            if name not in OPTIONAL and name != "properties":
                yield value, name
                yield from _parts(held)
    elif isinstance(value, list):
        for index, held in enumerate(value[:3]):
            yield value, index
            yield from _parts(held)
