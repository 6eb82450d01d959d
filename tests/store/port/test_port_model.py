"""Whatever two processes do to a store, in whatever order, it equals a dict."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.port.engines import ENGINES, Engine
from tests.store.port.machine import StoreMachine, run


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
@pytest.mark.quick(1)
def test_two_processes_leave_what_a_dict_would_hold(make: Callable[[Path], Engine]) -> None:
    class Machine(StoreMachine):
        pass

    Machine.make = make
    run(Machine, percent=20)
