"""A warning fails a test if our code gave the reason, and never if another package did."""

import importlib
import socket
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sys import UnraisableHookArgs


def deprecated(module: str) -> None:
    warnings.warn_explicit("old", DeprecationWarning, "a.py", 1, module)


@pytest.fixture
def shown() -> Iterator[list[warnings.WarningMessage]]:
    """Take what would be shown; the filters of the run stay as they are."""
    with warnings.catch_warnings(record=True) as messages:
        yield messages


@pytest.mark.parametrize("module", ["m3cred_tui", "m3cred_tui.store.lock", "tests.stub_server"])
def test_a_warning_about_one_of_our_modules_is_an_error(module: str) -> None:
    with pytest.raises(DeprecationWarning, match="old"):
        deprecated(module)


@pytest.mark.parametrize("module", ["starlette.testclient", "asyncio", "m3cred_tuix"])
def test_a_warning_about_another_package_is_only_shown(
    module: str, shown: list[warnings.WarningMessage]
) -> None:
    deprecated(module)
    assert [str(one.message) for one in shown] == ["old"]


def test_starlettes_advice_on_httpx_is_not_held_against_its_importer(
    shown: list[warnings.WarningMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "starlette.testclient", raising=False)
    importlib.import_module("starlette.testclient")
    assert all("httpx" in str(one.message) for one in shown)


def test_what_is_left_open_is_an_error_wherever_it_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unraisable: list[UnraisableHookArgs] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    exec("left.pop()", {"__name__": "another.package", "left": [socket.socket()]})
    [found] = unraisable
    assert found.exc_type is ResourceWarning


def test_a_coroutine_that_nobody_awaits_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    unraisable: list[UnraisableHookArgs] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)

    async def never_awaited() -> None: ...

    exec("left.pop()", {"__name__": "another.package", "left": [never_awaited()]})
    [found] = unraisable
    assert found.exc_type is RuntimeWarning
