"""In which order the tests run, and what a run says at its end.

It is here as no conftest.py further down is read by the process that says it.
"""

from typing import TYPE_CHECKING

from tests.e2e import attack_table
from tests.e2e.attack_table import ATTACKED
from tests.store import swept_table
from tests.store.swept_table import SWEPT

if TYPE_CHECKING:
    import pytest
    from _pytest.terminal import TerminalReporter


def pytest_collection_modifyitems(items: list["pytest.Item"]) -> None:
    """Begin with the groups, which one process goes through alone while others do the rest."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


def pytest_terminal_summary(terminalreporter: "TerminalReporter") -> None:
    reports = terminalreporter.getreports("passed")
    told = [one for report in reports for one in report.user_properties]
    lines = [*swept_table.lines([value for key, value in told if key == SWEPT])]
    for tallies, measured in (value for key, value in told if key == ATTACKED):
        lines += attack_table.lines(tallies, measured)
    for line in lines:
        terminalreporter.write_line(line)
