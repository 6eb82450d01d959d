"""Error codes: scripts rely on them, and docs/json.md lists them all."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import m3cred_tui
from docs.problems import BESIDES, EXCEPT, PAGES, ends_create, page, problems
from m3cred_tui.model.problem import Problem

PROBLEMS = problems()
SOURCES = [*Path(m3cred_tui.__file__).parent.rglob("*.py")]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_page_lists_todays_codes_and_their_meanings(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == page(path), "run: python -m docs.problems"
    assert page(path).count("\n| `") > 35


def test_the_page_of_create_has_the_codes_of_approvals_that_could_not_be_kept() -> None:
    ends = {one.code for one in PROBLEMS if ends_create(one)}
    assert ends > {"ApprovalNotKept", "ApprovalLost", "CodeSent", "CodeUnused", "Expired"}


def test_every_code_that_is_told_apart_for_create_is_there() -> None:
    assert {one.code for one in PROBLEMS} >= BESIDES | EXCEPT


def test_no_code_means_two_things() -> None:
    assert len(PROBLEMS) > 80
    counted = Counter(one.code for one in PROBLEMS)
    assert [code for code, times in counted.items() if times > 1] == []


def test_every_code_can_come_as_its_problem_is_made_somewhere() -> None:
    made = {name for path in SOURCES for name in made_in(ast.parse(path.read_bytes()))}
    assert [one.__name__ for one in PROBLEMS if one.__name__ not in made] == []


def made_in(tree: ast.Module) -> Iterator[str]:
    """Yield the names that are called or raised."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc:
            yield from names_in(node.exc)
        elif isinstance(node, ast.Call):
            yield from names_in(node.func)


def names_in(node: ast.expr) -> Iterator[str]:
    return (one.id for one in ast.walk(node) if isinstance(one, ast.Name))


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.code)
def test_every_text_names_what_its_problem_has(problem: type[Problem]) -> None:
    assert problem.text
    for _, field, _, _ in Formatter().parse(problem.text):
        name, *_ = (field or "code").split(".")
        assert name in problem.fields or hasattr(problem, name)
