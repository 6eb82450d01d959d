"""Which tests run, where and in which order, and what a run says at its end.

It is here as no conftest.py further down is read by the process that says it.
"""

import faulthandler
import gc
import os
import signal
import threading
from collections import Counter
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests import own_network, surroundings
from tests.e2e import attack_table
from tests.e2e.attack_table import ATTACKED
from tests.store import swept_table
from tests.store.swept_table import SWEPT, SWEPT_TEAM, TEAM_FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from _pytest.terminal import TerminalReporter

_OWN_NETWORK = pytest.StashKey[bool]()
_HOME = pytest.StashKey[TemporaryDirectory[str]]()
_STDERR = pytest.StashKey[int]()
"""The real one, which a test's capturing leaves alone."""

_PATIENCE = 1.5
"""Times its time limit, after which a test that goes on ends its process."""

# What a run with "&" or nohup ignores, and would hand down to every program it starts.
_USUAL: "dict[signal.Signals, Callable[[int, FrameType | None], None] | signal.Handlers]" = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGQUIT: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}


QUICK, LONG = "quick", "long"
"""How many examples Hypothesis tries. On a busy machine one of them may take its time."""
settings.register_profile(QUICK, max_examples=20, deadline=None)
settings.register_profile(LONG, deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long",
        action="store_true",
        help="run also what is marked long, and try more examples",
    )


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile(LONG if config.getoption("--long") else QUICK)
    for number, usual in _USUAL.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    if _runs_tests(config):
        config.stash[_HOME] = surroundings.leave()
    config.stash[_OWN_NETWORK] = bool(_worker(config)) and own_network.enter()
    config.stash[_STDERR] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> "Generator[None, object, object]":
    """End the process, with the stacks of its threads, if a time limit does not end a test.

    The limit is a signal, which comes once, and which Python handles between two of the main
    thread's steps. So it ends no call into C, and no clean-up that waits for a thread.
    """
    _end_unless_done_in(_limit(item), item.config)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """Do the same for the clean-up after a failure, at which pytest cancels it."""
    if isinstance(node, pytest.Item):
        _end_unless_done_in(_limit(node), node.config)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Let no thread that a test has left hold up the end of the process, either."""
    if home := config.stash.get(_HOME, None):
        home.cleanup()
    left = {one for one in threading.enumerate() if not one.daemon} - {threading.main_thread()}
    if left:
        _end_unless_done_in(float(config.getini("timeout")), config)


def _limit(item: pytest.Item) -> float:
    """Return the seconds that pytest-timeout gives a test; 0 is no limit."""
    if marker := item.get_closest_marker("timeout"):
        return float(marker.args[0])
    chosen = item.config.getoption("timeout")
    return float(item.config.getini("timeout") if chosen is None else chosen)


def _end_unless_done_in(seconds: float, config: pytest.Config) -> None:
    if seconds:
        stderr = config.stash[_STDERR]
        faulthandler.dump_traceback_later(_PATIENCE * seconds, exit=True, file=stderr)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> "Generator[None, pytest.CollectReport, pytest.CollectReport]":
    """Have each worker begin to collect at another place.

    In a new clone nothing is compiled yet. Side by side, all workers would compile each file.
    """
    report = yield
    if isinstance(collector, pytest.Dir) and (worker := _worker(collector.config)):
        number, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
        first = len(report.result) * number // count
        report.result = [*report.result[first:], *report.result[:first]]
    return report


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless told otherwise, and begin with what takes longest.

    That is the groups, each of which one process goes through, what may take longest, and e2e.
    """
    if _worker(config):
        items.sort(key=lambda item: item.path)  # as every worker has to find the same
    _mark_variants(items)
    if not config.getoption("--long"):
        left_out = [item for item in items if _is(item, "long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not _is(item, "long")]
    for item in items:
        if _is(item, "e2e") and not _is(item, "xdist_group"):
            if not config.stash[_OWN_NETWORK]:
                item.add_marker(pytest.mark.xdist_group("e2e"))
            elif "chromium" in getattr(item, "fixturenames", ()):  # one is heavy enough
                item.add_marker(pytest.mark.xdist_group("chromium"))
    items.sort(
        key=lambda item: (not _is(item, "xdist_group"), -_limit(item), not _is(item, "e2e"))
    )


def _worker(config: pytest.Config) -> dict[str, Any]:
    """Return what xdist has told this worker; nothing in the process that it tells."""
    return getattr(config, "workerinput", {})


def _runs_tests(config: pytest.Config) -> bool:
    return bool(_worker(config)) or not config.getoption("numprocesses", 0)


def _mark_variants(items: list[pytest.Item]) -> None:
    """Mark as long what comes after as many variants of a test as it has to run quickly."""
    variants: Counter[str] = Counter()
    for item in items:
        if few := item.get_closest_marker("quick"):
            test = item.nodeid.partition("[")[0]
            variants[test] += 1
            if variants[test] > few.args[0]:
                item.add_marker(pytest.mark.long)


def pytest_collection_finish() -> None:
    """Leave what was collected to the end: the garbage collector took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _is(item: pytest.Item, marked: str) -> bool:
    return item.get_closest_marker(marked) is not None


def pytest_terminal_summary(terminalreporter: "TerminalReporter") -> None:
    reports = terminalreporter.getreports("passed")
    told = [one for report in reports for one in report.user_properties]
    lines = [*swept_table.lines([value for key, value in told if key == SWEPT])]
    team = [value for key, value in told if key == SWEPT_TEAM]
    lines += swept_table.lines(team, TEAM_FAULTS)
    for tallies, measured in (value for key, value in told if key == ATTACKED):
        lines += attack_table.lines(tallies, measured)
    for line in lines:
        terminalreporter.write_line(line)
