"""Sentences about what went wrong in a run: lists that cannot be used, dropped members, too few memberships applied."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from target_hubspot_lists.hubspot.list_objects import shown
from target_hubspot_lists.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_hubspot_lists.input.records import Cohort
    from target_hubspot_lists.reporting.account import Account, StreamAccount
    from target_hubspot_lists.reporting.accounts import Accounts

COHORTS_SHOWN = 3  # of many with one problem, in its sentence
# So many asked for and none applied is a mistake in source or settings, whatever max_unapplied_percent allows.
ENOUGH_TO_JUDGE = 20


def unusable_lists(accounts: Accounts) -> Iterator[str]:
    """Yield a sentence for each problem of a list, with the setting that leaves its cohorts out."""
    by_problem: dict[str, list[Cohort]] = {}
    for account in accounts.lists.values():
        if account.problem:
            by_problem.setdefault(str(account.problem), []).append(account.cohort)
    for problem, cohorts in by_problem.items():
        entries = [
            {"cohort": shown(cohort.id or cohort.name), "skip": True} for cohort in cohorts[:COHORTS_SHOWN]
        ]
        more = f" and so on for {len(cohorts):,} cohorts" if len(cohorts) > COHORTS_SHOWN else ""
        yield (
            f"{problem} No STATE is written, so this input is read again until that is corrected; to leave the cohort "
            f"out, set lists: {json.dumps(entries, ensure_ascii=False)}{more}."
        )


def dropped_members(accounts: Accounts) -> Iterator[str]:
    """Yield a sentence for each list with dropped members."""
    for account in accounts.lists.values():
        if number := account.outcomes[Outcome.DROPPED]:
            yield dropped(f'List "{shown(account.label)}"', number)


def dropped(what: str, number: int) -> str:
    """Return the sentence for a list with so many dropped members."""
    return (
        f"{what}: {number:,} members are not as asked though HubSpot knows them and accepted the calls; no STATE that "
        "covers them is written. Run again: HubSpot may need more time. If it stays so, show HubSpot's support the "
        "list, and set report_path for a line on each."
    )


def too_few_applied(accounts: Accounts, max_unapplied_percent: int) -> Iterator[str]:
    """Yield a sentence for each list or stream of which too few memberships were applied."""
    mistakes = {each.what: each.asked for each in nothing_applied(accounts) if each.is_mistake}
    judged_lists = [account for account in accounts.lists.values() if account.is_judged]
    counts = [(_list(account), account.asked, account.applied) for account in judged_lists]
    counts += [
        (f'stream "{name}"', stream.records_read, _applied_of(stream, accounts))
        for name, stream in accounts.streams.items()
        if _is_judged(stream, accounts)
    ]
    for what, asked, applied in counts:
        if what in mistakes:
            yield (
                f"Of {mistakes[what]} memberships of {what} not one was applied: see the reasons above, and set "
                "report_path for a line on each."
            )
        elif (unapplied := asked - applied) * 100 > asked * max_unapplied_percent:
            yield (
                f"{unapplied} of {asked} memberships of {what} were not applied, more than max_unapplied_percent "
                f"({max_unapplied_percent}) allows: set report_path for a line on each."
            )


class NothingApplied(NamedTuple):
    """A list or a stream of which memberships were asked for and none was applied."""

    what: str  # as messages name it
    asked: int
    is_stream: bool

    @property
    def is_mistake(self) -> bool:
        """Whether so many were asked for that source or settings must be wrong, and not single members."""
        return self.asked >= ENOUGH_TO_JUDGE


def nothing_applied(accounts: Accounts) -> Iterator[NothingApplied]:
    """Yield the lists, then the streams, of which nothing was applied, without what is not judged any more."""
    for account in accounts.lists.values():
        if not account.applied and account.asked > account.not_judged and account.is_judged:
            yield NothingApplied(_list(account), account.asked - account.not_judged, is_stream=False)
    for name, stream in accounts.streams.items():
        if stream.records_read and not _applied_of(stream, accounts) and _is_judged(stream, accounts):
            yield NothingApplied(f'stream "{name}"', stream.records_read, is_stream=True)


def judge_only_later_changes(accounts: Accounts) -> None:
    """From now on, judge lists of which nothing was applied by what is asked for later alone."""
    for account in accounts.lists.values():
        if not account.applied:
            account.not_judged = account.asked


def _list(account: Account) -> str:
    return f'list "{shown(account.label)}"'


def _is_judged(stream: StreamAccount, accounts: Accounts) -> bool:
    """Whether it counts as a problem that nothing of a stream was applied: see `Account.is_judged`."""
    return not stream.lists or all(accounts.lists[key].is_judged for key in stream.lists)


def _applied_of(stream: StreamAccount, accounts: Accounts) -> int:
    """Return how many records of a stream count as applied: 0 if nothing was applied on any of its lists."""
    # Each of many lists may be asked for too few to judge it; all of them together are enough.
    if stream.lists and not any(accounts.lists[key].applied for key in stream.lists):
        return 0
    return stream.records_read - stream.rejected
