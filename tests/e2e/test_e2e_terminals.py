"""The whole way in every kind of terminal, and the page that tells of it."""

from collections.abc import Mapping

import pytest
import pytest_asyncio

from docs.terminals import row, rows
from tests.e2e.terminal_visit import find_out_all
from tests.e2e.terminals import HEADINGS, SETUPS, Found, Setup

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("terminals"),
    pytest.mark.timeout(240),  # the first one waits for all
]

Results = Mapping[str, Found | BaseException]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def results() -> Results:
    return await find_out_all()


@pytest.fixture(params=SETUPS, ids=lambda setup: setup.name)
def setup(request: pytest.FixtureRequest) -> Setup:
    assert isinstance(request.param, Setup)
    return request.param


def of(setup: Setup, results: Results) -> Found:
    found = results[setup.name]
    if isinstance(found, BaseException):
        raise found
    return found


async def test_the_page_tells_what_was_found(setup: Setup, results: Results) -> None:
    assert rows()[setup.name] == row(setup.name, of(setup, results))


async def test_in_no_terminal_is_anything_garbled_or_seen_by_its_colour_alone(
    setup: Setup, results: Results
) -> None:
    found = of(setup, results)
    assert (found.garbled, found.focus) == ("no", "everywhere")


async def test_only_a_terminal_without_colours_or_signs_is_sent_none(
    setup: Setup, results: Results
) -> None:
    found = of(setup, results)
    is_plain = "NO_COLOR" in setup.environ or setup.environ["TERM"] == "vt100"
    assert (found.colours == "none") is is_plain
    assert (found.signs == "ASCII only") is ("LANG" in setup.environ)


async def test_the_page_tells_of_no_other_terminal() -> None:
    assert [*rows()] == [setup.name for setup in SETUPS]
    assert len(HEADINGS) == len(Found._fields)
