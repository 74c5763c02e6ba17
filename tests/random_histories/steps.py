"""The steps of a history: values that can be written down as text, and performed in a simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tests.held_calls import PATIENCE
from tests.random_histories.disturbances import DISTURBANCES, forked_runs
from tests.random_histories.expectations import Wrong
from tests.random_histories.simulation import SETTLED
from tests.random_histories.source import COHORTS, Change
from tests.random_histories.unusable_lists import unusable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.in_process import Ended
    from tests.random_histories.simulation import Simulation


class Step(Protocol):
    """One thing that happens."""

    def perform(self, simulation: Simulation) -> None:
        """Let it happen; raise `Wrong` if a run or the portal is not as it must be afterwards."""


@dataclass(frozen=True)
class SourceChanges:
    """Members join and leave cohorts in the source: number of the cohort, number of the identifier, and whether."""

    changes: tuple[tuple[int, int, bool], ...]

    def perform(self, simulation: Simulation) -> None:
        simulation.source.change(
            Change(COHORTS[cohort], _identifier(simulation, person), is_member)
            for cohort, person, is_member in self.changes
        )


@dataclass(frozen=True)
class Merge:
    """Two contacts are merged: into a "new" record id, or into that of the "first" or the "second"."""

    first: int
    second: int
    kept: str

    def perform(self, simulation: Simulation) -> None:
        simulation.merge(_identifier(simulation, self.first), _identifier(simulation, self.second), self.kept)


@dataclass(frozen=True)
class DeleteContact:
    """A contact is deleted."""

    person: int

    def perform(self, simulation: Simulation) -> None:
        simulation.delete_contact(_identifier(simulation, self.person))


@dataclass(frozen=True)
class MoveAddress:
    """A contact gets another address, and perhaps another contact gets the old one."""

    person: int
    has_heir: bool

    def perform(self, simulation: Simulation) -> None:
        simulation.move_address(_identifier(simulation, self.person), has_heir=self.has_heir)


@dataclass(frozen=True)
class AddContact:
    """A contact is made that the source may name from now on."""

    def perform(self, simulation: Simulation) -> None:
        simulation.add_contact()


@dataclass(frozen=True)
class OptOut:
    """A contact opts out of all email."""

    person: int

    def perform(self, simulation: Simulation) -> None:
        simulation.opt_out(_identifier(simulation, self.person))


@dataclass(frozen=True)
class CreateContact:
    """Somebody makes the contact of a person whom the source names."""

    person: int

    def perform(self, simulation: Simulation) -> None:
        simulation.create_contact(_identifier(simulation, self.person))


@dataclass(frozen=True)
class AddByHand:
    """A user adds a contact to a cohort's list."""

    cohort: int
    person: int

    def perform(self, simulation: Simulation) -> None:
        simulation.add_by_hand(COHORTS[self.cohort], _identifier(simulation, self.person))


@dataclass(frozen=True)
class RemoveByHand:
    """A user removes a contact from a cohort's list."""

    cohort: int
    person: int

    def perform(self, simulation: Simulation) -> None:
        simulation.remove_by_hand(COHORTS[self.cohort], _identifier(simulation, self.person))


@dataclass(frozen=True)
class RenameList:
    """A user renames a cohort's list."""

    cohort: int

    def perform(self, simulation: Simulation) -> None:
        simulation.rename_list(COHORTS[self.cohort])


@dataclass(frozen=True)
class DeleteList:
    """A user deletes a cohort's list."""

    cohort: int

    def perform(self, simulation: Simulation) -> None:
        simulation.delete_list(COHORTS[self.cohort])


@dataclass(frozen=True)
class RenameCohort:
    """A cohort is renamed in the source."""

    cohort: int

    def perform(self, simulation: Simulation) -> None:
        simulation.rename_cohort(COHORTS[self.cohort])


@dataclass(frozen=True)
class DaysPass:
    """Days pass."""

    days: int

    def perform(self, simulation: Simulation) -> None:
        simulation.days_pass(self.days)


@dataclass(frozen=True)
class Run:
    """The target runs on what is pending, and something may disturb it from its call of a number on."""

    disturbance: str = "none"
    call: int = 0
    reconcile: bool = False

    def perform(self, simulation: Simulation) -> None:
        # A run sees what was true before it; only behind its own writes may reads lag.
        simulation.clock.sleep(SETTLED)
        changes, expected = simulation.source.pending(), simulation.expected
        reconciles = self.reconcile and simulation.variant.has_ledger
        config = simulation.config | ({"reconcile": True} if reconciles else {})
        disturbance = DISTURBANCES[self.disturbance]
        try:
            ended = disturbance.run(simulation, simulation.source.messages(changes), config, self.call)
        finally:
            simulation.hubspot.faults.clear()
        simulation.check_output(ended)
        if ended.exit_code not in disturbance.exit_codes:
            raise Wrong(f"the run exits {ended.exit_code}: {ended.errors}")
        if ended.exit_code == 0:
            expected.run_succeeded(changes, reconciled=reconciles)
            simulation.check_mailability()
        else:
            expected.run_failed(changes, ended.states, reconciled=reconciles)
        expected.check()


@dataclass(frozen=True)
class RunBesideUnusableList:
    """The target runs while the list of one cohort cannot be used: that costs the cohort, and no other."""

    cohort: int
    problem: str

    def perform(self, simulation: Simulation) -> None:
        simulation.clock.sleep(SETTLED)
        changes, cohort = simulation.source.pending(), COHORTS[self.cohort]
        list_id = simulation.known_list(cohort)
        if list_id is None:
            return
        messages = simulation.source.messages(changes)
        with unusable(simulation, list_id, self.problem):
            ended = DISTURBANCES["none"].run(simulation, messages, simulation.config, 0)
        simulation.check_output(ended)
        if ended.exit_code == 0:  # nothing was to be changed on the list
            simulation.expected.run_succeeded(changes)
        else:
            self._check_told(simulation.source.key(cohort), ended)
            simulation.expected.list_was_unusable(changes, cohort, ended.states)
        simulation.expected.check()

    def _check_told(self, key: str, ended: Ended) -> None:
        """Check that the run names this list alone."""
        told = "\n".join(ended.errors)
        if f'[{{"cohort": "{key}", "skip": true}}]' not in told or told.count('"skip"') != 1:
            raise Wrong(f"the run does not say which list cannot be used: {told}")


@dataclass(frozen=True)
class UnprovenRun:
    """A mirror runs on an input that broke off: it announces one member more than it has."""

    def perform(self, simulation: Simulation) -> None:
        simulation.clock.sleep(SETTLED)
        changes = simulation.source.pending()
        if not simulation.variant.is_mirror or not changes:
            return
        messages = simulation.source.messages(changes, is_proven=False)
        ended = DISTURBANCES["none"].run(simulation, messages, simulation.config, 0)
        simulation.check_output(ended)
        if ended.exit_code != 1:
            raise Wrong(f"a run whose snapshot is not proven exits {ended.exit_code}")
        if ended.states:
            raise Wrong("a STATE left, although the snapshot was not proven")
        simulation.expected.run_was_unproven(changes)
        simulation.expected.check()


@dataclass(frozen=True)
class TwoRuns:
    """The target runs twice at once: on one cohort each, or twice on the same input."""

    same_input: bool

    def perform(self, simulation: Simulation) -> None:
        simulation.clock.sleep(SETTLED)
        changes, source = simulation.source.pending(), simulation.source
        parts = [[each for each in changes if each.cohort == cohort] for cohort in COHORTS]
        inputs = [source.messages(each) for each in ([changes, changes] if self.same_input else parts)]
        with forked_runs(simulation, inputs, simulation.config) as runs:
            both = [each.ended(PATIENCE) for each in runs]
        for ended in both:
            simulation.check_output(ended)
        # A run that finds its lists locked by the other one exits 1, and its input is read again.
        may_be_locked = self.same_input and simulation.variant.has_ledger
        codes = [ended.exit_code for ended in both]
        if not set(codes) <= ({0, 1} if may_be_locked else {0}):
            raise Wrong(f"two runs at once exit {codes}: {[ended.errors for ended in both]}")
        if 0 in codes:
            simulation.expected.run_succeeded(changes)
        else:
            simulation.expected.run_failed(changes, [])
        simulation.expected.check()


STEPS: dict[str, type[Step]] = {
    each.__name__: each
    for each in (
        SourceChanges,
        Run,
        RunBesideUnusableList,
        UnprovenRun,
        TwoRuns,
        Merge,
        DeleteContact,
        MoveAddress,
        OptOut,
        AddContact,
        CreateContact,
        AddByHand,
        RemoveByHand,
        RenameList,
        DeleteList,
        RenameCohort,
        DaysPass,
    )
}


def simpler_steps(step: Step) -> Iterator[Step]:
    """Yield steps that are simpler than this one and may show the same."""
    if isinstance(step, SourceChanges) and len(step.changes) > 1:
        for index in range(len(step.changes)):
            yield SourceChanges((*step.changes[:index], *step.changes[index + 1 :]))
    elif isinstance(step, Run):
        if step.disturbance != "none":
            yield Run("none", 0, step.reconcile)
        if step.disturbance not in {"none", "500"}:
            yield Run("500", step.call, step.reconcile)
        if step.reconcile:
            yield Run(step.disturbance, step.call)
    elif isinstance(step, MoveAddress) and step.has_heir:
        yield MoveAddress(step.person, has_heir=False)


def _identifier(simulation: Simulation, number: int) -> str:
    identifiers = simulation.source.identifiers
    return identifiers[number % len(identifiers)]
