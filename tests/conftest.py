"""What a run of the tests says at its end.

It is here as no conftest.py further down is read by the process that says it.
"""

from typing import TYPE_CHECKING

from tests.store.swept_table import SWEPT, lines

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


def pytest_terminal_summary(terminalreporter: "TerminalReporter") -> None:
    reports = terminalreporter.getreports("passed")
    rows = [value for one in reports for key, value in one.user_properties if key == SWEPT]
    for line in lines(rows):
        terminalreporter.write_line(line)
