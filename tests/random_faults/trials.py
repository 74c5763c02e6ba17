"""Tries a case: a run with the fault, a rerun without it, and what must be true after each."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hubspot_singer.http import Timeouts
from tests.in_process import run
from tests.random_faults.cases import calls_of
from tests.random_faults.kinds import Promise, kinds
from tests.random_faults.worlds import FIRST_NEW, LATER, MERGED, PEOPLE, SECOND_NEW, STATE, World

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tests.hubspot_emulator import Request
    from tests.in_process import Ended
    from tests.new_ledgers import NewLedgers
    from tests.random_faults.cases import Case
    from tests.random_faults.kinds import Call, Kind
    from tests.random_faults.variants import Variant

KINDS = kinds()
HURRIED = Timeouts(connect=5.0, read=0.3)  # seconds; the clock moves on by the usual ones
MOST_CALLS = 2000  # of a run in which a call may be tried again for ten minutes, once a second
# Calls about the token: a run goes on where HubSpot does not answer them.
DISPENSABLE = re.compile(r"/account-info/.*|/oauth/.*")
# After these statuses a batch is halved, or its members are read, to find the input that is refused.
ISOLATED = {"400", "409", "413", "524"}
REFUSALS = {"400", "409", "413"}
LIST = re.compile(r"/crm/lists/[^/]+/(\d+)(/.*)?|/crm/lists/[^/]+/object-type-id/0-1/name/(.+)")


@dataclass
class Trial:
    """What was wrong with one case."""

    case: Case
    problems: list[str] = field(default_factory=list)
    log: str = ""

    def note(self, problem: str) -> None:
        """Note that something was wrong."""
        self.problems.append(problem)


def calls_of_a_run(variant: Variant, ledgers: NewLedgers) -> list[Call]:
    """Return the calls of a run without a fault, which must succeed."""
    with World(variant, ledgers.new_url(variant.ledger)) as world:
        prepare(world)
        ended = run(world.messages(), world.config, world.clock)
        wrong = world.problems()
        if ended.exit_code or wrong:
            raise AssertionError(f"{variant}: without a fault, exit {ended.exit_code}, {wrong}\n{ended.log}")
        return calls_of(world.hubspot.requests)


def try_case(case: Case, ledgers: NewLedgers) -> Trial:
    """Run the target with the fault and again without it, and return what was wrong."""
    trial, kind = Trial(case), KINDS[case.kind]
    with World(case.variant, ledgers.new_url(case.variant.ledger)) as world:
        prepare(world)
        kind.strike(world, case.call, None if case.always else 1)
        broken = run(
            world.messages(),
            world.config,
            world.clock,
            timeouts=HURRIED if kind.is_slow else None,
            level=logging.DEBUG,
        )
        requests = list(world.hubspot.requests)
        struck = struck_by(case, requests)
        if not struck:
            return trial  # calls side by side come in no certain order, so this call may not come
        _judge(trial, kind, world, broken, requests, struck)
        world.hubspot.faults.clear()
        rerun = run(world.messages(), world.config, world.clock, level=logging.DEBUG)
        _judge_rerun(trial, world, rerun)
        trial.log = f"--- with the fault\n{broken.output}\n--- again, without\n{rerun.output}"
    return trial


def struck_by(case: Case, requests: list[Request]) -> list[int]:
    """Return which of the requests the fault struck."""
    same = [
        index
        for index, request in enumerate(requests)
        if (request.method, request.path) == (case.call.method, case.call.path)
    ]
    return same[case.call.number :] if case.always else same[case.call.number : case.call.number + 1]


def prepare(world: World) -> None:
    """Let the earlier run come first, if there was one; it must succeed."""
    if world.variant.history == "later":
        ended = run(world.earlier_messages(), world.earlier_config, world.clock)
        if ended.exit_code:
            raise AssertionError(f"{world.variant}: the earlier run exits {ended.exit_code}\n{ended.log}")
        world.days_pass()
    world.hubspot.requests.clear()


def _judge(
    trial: Trial, kind: Kind, world: World, ended: Ended, requests: list[Request], struck: list[int]
) -> None:
    # An add of an earlier run that could not be tried is kept for the next one.
    excused = (*people_who_may_be_refused(trial.case), LATER)
    wrong = world.problems(excused, without_properties=may_refuse_properties(trial.case))
    if ended.exit_code == 0 and wrong:
        trial.note(f"exit 0, but {'; '.join(wrong)}")
    if ended.exit_code == 0 and ended.states[-1:] != [{STATE: len(world.rows)}]:
        trial.note(f"exit 0, but the last STATE is {ended.states[-1:]}")
    if ended.exit_code not in {0, 1}:
        trial.note(f"exit {ended.exit_code}")
    for state in ended.states:
        if not world.covers(state, excused):
            trial.note(f"a STATE left that covers what HubSpot does not have: {state}")
    if ended.exit_code and must_succeed(trial.case, kind, world):
        trial.note(f"exit {ended.exit_code}: {ended.errors}")
    _judge_output(trial, world, ended)
    if len(requests) > MOST_CALLS:
        trial.note(f"{len(requests)} calls")
    for index in forbidden_calls(trial.case, kind, ended, requests, struck):
        trial.note(f"a call after the end: {requests[index].method} {requests[index].path}")


def must_succeed(case: Case, kind: Kind, world: World) -> bool:
    """Tell whether the run has to exit 0 in spite of the fault."""
    if kind.promise is Promise.HARMLESS:
        return True
    if case.kind == "401" and world.variant.credential == "oauth" and "/oauth/" not in case.call.path:
        return not case.always
    return kind.promise is Promise.RETRIED and not case.always


def people_who_may_be_refused(case: Case) -> Collection[str]:
    """Return the members who may be rejected: those whom HubSpot refuses alone, while it takes others.

    Where HubSpot refuses every member of a list, it refuses the list, and the run has to exit 1.
    """
    status = case.kind.partition("-")[0]
    if may_do_without(case):
        return (MERGED,)  # whose retired record id is then missing
    if status in REFUSALS and case.call.path.endswith("/contacts/batch/create"):
        return (FIRST_NEW, SECOND_NEW)
    if status in REFUSALS and case.call.method == "PUT" and (case.call.number or not case.always):
        return PEOPLE
    return ()


def may_refuse_properties(case: Case) -> bool:
    """Tell whether properties may be rejected: those of contacts whose update HubSpot refuses alone.

    A 404 to the update of one contact says that the contact is gone.
    """
    is_refused = case.kind.partition("-")[0] in {*REFUSALS, "404"}
    return is_refused and case.call.path.endswith(("/contacts/batch/update", "/contacts/batch/create"))


def forbidden_calls(
    case: Case, kind: Kind, ended: Ended, requests: list[Request], struck: list[int]
) -> Iterator[int]:
    """Yield the indexes of calls that a terminal answer forbids: all later ones, or those about the same list."""
    if not case.variant.one_call_at_a_time or DISPENSABLE.fullmatch(case.call.path) or ended.exit_code == 0:
        return
    if may_do_without(case):
        return
    if kind.promise is Promise.ENDS:
        # An OAuth token is renewed once after a 401, and the call made again.
        first = struck[0] if case.kind != "401" or case.variant.credential != "oauth" else struck[-1]
        yield from range(first + 1, len(requests))
    if kind.promise is not Promise.TERMINAL or case.kind.partition("-")[0] in ISOLATED:
        return
    one = LIST.fullmatch(case.call.path)
    for index in range(struck[0] + 1, len(requests)):
        request = requests[index]
        other = LIST.fullmatch(request.path)
        if one is None or (other is not None and other.groups() == one.groups()):
            yield index


def may_do_without(case: Case) -> bool:
    """Tell whether it is a read that a run by record id can do without: that of who was merged."""
    is_forbidden = case.kind.partition("-")[0] == "403"
    return (
        is_forbidden
        and case.variant.match_by == "contact_id"
        and case.call.path.endswith("/contacts/batch/read")
    )


def _judge_output(trial: Trial, world: World, ended: Ended) -> None:
    """Check the output: one line of error if the run failed, none otherwise, and no secret and no address."""
    if ended.crash:
        trial.note(ended.crash)
    if ended.exit_code and len(ended.errors) != 1 and not ended.crash:
        trial.note(f"{len(ended.errors)} lines of error: {ended.errors}")
    if not ended.exit_code and ended.errors:
        trial.note(f"exit 0 with an error: {ended.errors}")
    output = ended.output.lower()
    for secret in world.secrets:
        if secret.lower() in output:
            line = next(each for each in ended.output.splitlines() if secret.lower() in each.lower())
            trial.note(f"the output holds a secret or an address: {line}")


def _judge_rerun(trial: Trial, world: World, ended: Ended) -> None:
    # Once a member is removed, no later run writes its status property; the rejected status was reported.
    wrong = world.problems(without_properties=world.variant.is_mirror and may_refuse_properties(trial.case))
    if ended.exit_code:
        trial.note(f"the rerun exits {ended.exit_code}: {ended.errors or ended.crash}")
    if wrong:
        trial.note(f"after the rerun {'; '.join(wrong)}")
    if not ended.exit_code and ended.states[-1:] != [{STATE: len(world.rows)}]:
        trial.note(f"the rerun's last STATE is {ended.states[-1:]}")
    _judge_output(trial, world, ended)
