"""From a problem to what it says about a credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.model.check import LONGEST_TOLD, CheckResult, Outcome
from m3cred_tui.model.text import clean
from m3cred_tui.store.problems import CredentialDamaged
from m3cred_tui.stripe.problems import StripeProblem, kind_of
from m3cred_tui.upkeep.problems import AnswerLost, KeyDoesNotFit, StillPending

if TYPE_CHECKING:
    from datetime import datetime

    from m3cred_tui.model.problem import Problem

_OUTCOMES: dict[type[Problem], Outcome] = {
    CredentialDamaged: Outcome.DAMAGED,
    StillPending: Outcome.PENDING,
    KeyDoesNotFit: Outcome.WRONG_KEY,
    AnswerLost: Outcome.REVOKED,
}


def result_of(problem: Problem, at: datetime) -> CheckResult:
    """Return the result of a check that ended with this problem."""
    if isinstance(problem, StripeProblem):
        return CheckResult(Outcome(kind_of(problem).value), at, _cleaned(problem.happened))
    outcome = _OUTCOMES.get(type(problem), Outcome.FAILED)
    return CheckResult(outcome, at, _cleaned(str(problem)))


def _cleaned(told: str) -> str:
    return clean(told, most=LONGEST_TOLD)
