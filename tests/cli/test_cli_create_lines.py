"""The lines of standard input, and how an address is put together from them."""

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest

from m3cred_tui.callback.pasted import PasteIncomplete, pasted_redirect
from m3cred_tui.cli.creation import standard_input as reading
from m3cred_tui.cli.creation.dialogue import Console, _remind
from m3cred_tui.cli.creation.standard_input import Lines, TooMuchInput, incoming, take_address
from m3cred_tui.model.authorization import TIME_LIMIT
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret

STATE = "Zk3_vN8-qXw1TtY0aB5cD7eF9gH2iJ4kL6mN8oP-rS_"
HERE = "http://127.0.0.1:27182/callback"
CONNECT = f"{HERE}?scope=read_write&code=ac_0123456789abcdefghijklmnopqrstuv&state={STATE}"
APPS = f"{HERE}?code=ac_0123456789abcdefghijklmnopqrstuv&state={STATE}"


def paste(text: str, *, final: bool) -> None:
    pasted_redirect(
        text,
        Secret(STATE),
        redirect_uri=HERE,
        stripe="https://connect.stripe.com/",
        final=final,
    )


async def taken(*lines: str | None) -> tuple[bool, list[Problem]]:
    queue: Lines = asyncio.Queue()
    for line in lines:
        queue.put_nowait(line)
    told: list[Problem] = []
    return await take_address(queue, paste, told.append), told


@pytest.mark.parametrize("address", [CONNECT, APPS])
async def test_an_address_is_taken_without_a_mark_of_its_end(address: str) -> None:
    assert await taken(address) == (True, [])


@pytest.mark.parametrize("at", range(10, len(CONNECT), 9))
async def test_an_address_in_two_lines_is_taken_wherever_it_was_wrapped(at: int) -> None:
    assert await taken(CONNECT[:at], CONNECT[at:], None) == (True, [])


async def test_a_wrong_line_is_reported_and_the_next_one_starts_again() -> None:
    was_taken, told = await taken("", "https://example.com/", "  ", CONNECT)
    assert was_taken
    assert [str(one)[:36] for one in told] == ["This is an address of example.com, n"]


async def test_half_an_address_is_reported_as_incomplete_once() -> None:
    was_taken, told = await taken(CONNECT[:60], None)
    assert not was_taken
    assert [type(one) for one in told] == [PasteIncomplete]


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> Callable[[IO[bytes]], None]:
    """Have lines read from another file, as if it were descriptor 0."""

    def use(file: IO[bytes]) -> None:
        monkeypatch.setattr(sys, "stdin", file)
        monkeypatch.setattr(reading, "_INPUT", file.fileno())

    return use


async def all_of(lines: Lines) -> list[str | Problem]:
    found = []
    while (line := await lines.get()) is not None:
        found.append(line)
    return found


async def test_a_plain_file_is_read_to_its_end(
    standard_input: Callable[[IO[bytes]], None], tmp_path: Path
) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"one\r\ntwo\n\xff\n" * 20_000 + b"and no end of line")
    with path.open("rb") as file:
        standard_input(file)
        with incoming() as lines:
            read = await all_of(lines)
    assert len(read) == 60_001
    assert read[-2:] == ["\N{REPLACEMENT CHARACTER}", "and no end of line"]


async def test_a_line_without_an_end_does_not_fill_the_memory(
    standard_input: Callable[[IO[bytes]], None],
) -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as file, os.fdopen(theirs, "wb", buffering=0) as writing:
        standard_input(file)
        with incoming() as lines:
            sending = asyncio.create_task(asyncio.to_thread(writing.write, b"x" * 262_144))
            *parts, last = await all_of(lines)
            assert all(isinstance(one, str) and len(one) < 200_000 for one in parts)
            assert isinstance(last, TooMuchInput)
            await sending


async def test_a_flood_of_wrong_lines_is_reported_once_and_keeps_nothing_waiting() -> None:
    queue: Lines = asyncio.Queue()
    for line in ("y", "https://example.com/") * 5_000:
        queue.put_nowait(line)
    queue.put_nowait(None)
    told: list[Problem] = []
    taking = asyncio.create_task(take_address(queue, paste, told.append))
    turns = 0
    while not taking.done():
        await asyncio.sleep(0)
        turns += 1
    assert not await taking
    assert turns > 10_000
    assert len({str(one) for one in told}) == 1


async def test_an_address_of_endless_lines_is_given_up_and_the_next_one_is_taken() -> None:
    parses = 0

    def counted(text: str, *, final: bool) -> None:
        nonlocal parses
        parses += 1
        paste(text, final=final)

    queue: Lines = asyncio.Queue()
    for line in (CONNECT[:30], *["a"] * 500, "https://example.com/", CONNECT):
        queue.put_nowait(line)
    told: list[Problem] = []
    assert await take_address(queue, counted, told.append)
    assert parses < 1_200
    assert told


async def test_without_standard_input_there_are_no_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with incoming() as lines:
        assert await all_of(lines) == []


async def test_it_is_said_what_helps_when_it_takes_long_and_when_it_is_nearly_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    almost = datetime.now(UTC) + timedelta(minutes=2)
    await _remind(almost, Console(json=False))
    hint, soon = capsys.readouterr().err.splitlines()
    assert hint.startswith("Does the browser show an error in braces, {…}?")
    assert soon == "Two minutes are left for the approval."

    early = asyncio.create_task(_remind(datetime.now(UTC) + TIME_LIMIT, Console(json=False)))
    await asyncio.sleep(0)
    assert capsys.readouterr().err == ""
    early.cancel()
