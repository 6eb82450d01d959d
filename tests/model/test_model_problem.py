import copy
import pickle
from enum import StrEnum
from pathlib import Path

import pytest

from m3cred_tui.model.problem import Problem


class Why(StrEnum):
    FULL = "is full"


class Unusable(Problem, code="Unusable"):
    text = """{path} cannot be used: it {reason}, says
        {who}.{_run}"""
    path: Path
    reason: str
    who: str = "nobody"

    @property
    def _run(self) -> str:
        return f" Run: rm for {self.who}"


class Placed(Problem):
    text = "{place}: {problem}"
    place: str
    problem: Problem


def test_a_problem_says_its_text_with_its_fields() -> None:
    problem = Unusable(Path("/a/b"), "is full", who="the disk")
    assert (
        str(problem) == "/a/b cannot be used: it is full, says the disk. Run: rm for the disk"
    )
    assert (problem.path, problem.reason, problem.who) == (Path("/a/b"), "is full", "the disk")
    assert str(Unusable(Path("c"), reason="is gone")).endswith(
        "says nobody. Run: rm for nobody"
    )


def test_escape_sequences_of_a_field_never_reach_the_terminal() -> None:
    problem = Unusable(Path("/a\x1b[2Jb"), "says\x07\n “hello”")
    assert problem.reason == "says� “hello”"
    assert "\x1b" not in str(problem)
    assert str(problem).startswith("/a�[2Jb cannot be used: it says� “hello”,")
    assert problem.path == Path("/a\x1b[2Jb"), "to be opened, not to be shown"


def test_a_member_of_an_enumeration_stays_one() -> None:
    assert Unusable(Path(), Why.FULL).reason is Why.FULL


def test_a_wrapped_problem_keeps_the_code_of_its_cause() -> None:
    problem = Placed("stripe", Placed("ports", Unusable(Path("x"), "is full")))
    assert problem.root.code == "Unusable"
    assert str(problem).startswith("stripe: ports: x cannot be used")
    assert problem.problem.root is problem.root


@pytest.mark.parametrize("again", [copy.copy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_says_the_same_and_is_another_one(again) -> None:  # type: ignore[no-untyped-def]
    problem = Unusable(Path("/a"), "is full", who="me")
    other = again(problem)
    assert (str(other), other.path, repr(other)) == (str(problem), Path("/a"), repr(problem))
    assert other != problem
    assert len({other, problem, problem}) == 2


@pytest.mark.parametrize("values", [(), (Path(),), (Path(), "full", "me", "too many")])
def test_missing_or_extra_fields_are_noticed_immediately(values: tuple[object, ...]) -> None:
    make: type[Problem] = Unusable
    with pytest.raises((AttributeError, ValueError)):
        make(*values)
