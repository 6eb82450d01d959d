"""What Stripe has approved is never lost, whatever dies before the credential is created."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from tests.e2e.browsers import OpenedUrls
from tests.e2e.conftest import Home, Start
from tests.e2e.terminal import CTRL_Q, CTRL_Z, ENTER, ESC, RIGHT, Terminal, terminal
from tests.e2e.wizard import ACCOUNT, create_credential, go_to_stripe, to_authenticate
from tests.ui.visit import Seen, approve

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

OFFERED = "Stripe has approved “Acme”"


def kept_in(home: Home) -> Credential:
    """Return the one approval that waits in the store; it opens with its identity."""
    store = DirectoryStore(
        home.credentials.parent, IdentityFile(home.identity, home.credentials.parent)
    )
    (credential_id,) = store.pending_ids()
    kept = store.verified(credential_id)
    assert isinstance(kept, Credential)
    assert kept.status is Status.PENDING
    assert store.tokens(credential_id).access_token
    return kept


async def approved(app: Terminal, opened: OpenedUrls) -> Seen:
    await to_authenticate(app)
    account = await asyncio.to_thread(approve, await go_to_stripe(app, opened))
    await app.shows(ACCOUNT)
    return account


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
@pytest.mark.quick(1)
async def test_an_approval_survives_whatever_ends_the_app_and_the_next_start_offers_it(
    app: Terminal, opened: OpenedUrls, home: Home, start: Start, number: signal.Signals
) -> None:
    account = await approved(app, opened)
    app.signal(number)
    await app.ends()
    assert home.saved() == []
    kept = kept_in(home)
    assert kept.account is not None
    assert kept.account.id == account.id

    again = await start("--demo")
    await again.shows("… pending")
    await again.shows(OFFERED)
    again.press(ENTER)
    await again.shows(ACCOUNT)
    await again.shows(account.id)
    await create_credential(again)
    assert [record["status"] for record in home.saved()] == ["authenticated"]
    assert not list((home.credentials.parent / "pending").iterdir())


@pytest.mark.long
async def test_an_approval_that_is_offered_can_be_left_renamed_and_created(
    app: Terminal, opened: OpenedUrls, home: Home, start: Start
) -> None:
    await approved(app, opened)
    app.press("q")
    assert await app.ends() == 0

    again = await start("--demo")
    await again.shows(OFFERED)
    again.press(ENTER)
    await again.shows(ACCOUNT)
    for stage in ("Destination Settings", "Entity Type Settings", "Name credential"):
        again.press(ESC)
        await again.shows(stage)
        await again.settles()
    again.press(RIGHT, " two", ENTER)
    for stage in ("Entity Type Settings", "Destination Settings"):
        await again.shows(stage)
        await again.settles()
        again.press(ENTER)
    await create_credential(again)
    assert [record["name"] for record in home.saved()] == ["Acme two"]


@pytest.mark.long
async def test_an_approval_that_nobody_wants_is_deleted_after_a_question(
    app: Terminal, opened: OpenedUrls, home: Home, start: Start
) -> None:
    await approved(app, opened)
    app.press("q")
    await app.ends()

    again = await start("--demo")
    await again.shows("… pending")
    again.press("d")
    await again.shows("Delete “Acme”?")
    await again.settles()
    again.press(RIGHT, ENTER)
    await again.shows("There are no credentials yet")
    assert not list((home.credentials.parent / "pending").iterdir())


@pytest.mark.long
async def test_the_wait_for_stripes_answer_after_leaving_can_be_stopped_and_continued(
    home: Home, tmp_path: Path, opened: OpenedUrls
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    shell = ["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"]
    environ = {**home.environ, "BROWSER": str(opened.program)}
    async with terminal(shell, environ) as app:
        app.press(f"{sys.executable} -m tests.e2e.held_stripe {fifo}", ENTER)
        await app.shows("There are no credentials yet")
        await to_authenticate(app)
        visit = asyncio.create_task(asyncio.to_thread(approve, await go_to_stripe(app, opened)))
        assert await asyncio.to_thread(fifo.read_text) == "asked\n"
        app.press(CTRL_Q)
        await app.shows("waiting for Stripe's answer; what it approves is kept.")
        app.press(CTRL_Z)
        await app.shows("Stopped")
        app.press("fg", ENTER)
        await asyncio.to_thread(fifo.write_text, "go on\n")
        await visit
        app.press("echo status $?", ENTER)
        await app.shows("status 0")
    kept_in(home)


@pytest.mark.long
async def test_a_connection_that_drops_while_stripe_answers_loses_nothing(
    home: Home, tmp_path: Path, opened: OpenedUrls
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "tests.e2e.held_stripe", str(fifo)]
    environ = {**home.environ, "BROWSER": str(opened.program)}
    async with terminal(command, environ) as app:
        await app.shows("There are no credentials yet")
        await to_authenticate(app)
        visit = asyncio.create_task(asyncio.to_thread(approve, await go_to_stripe(app, opened)))
        assert await asyncio.to_thread(fifo.read_text) == "asked\n"
        app.signal(signal.SIGHUP)
        await app.shows("waiting for Stripe's answer; what it approves is kept.")
        app.hang_up()  # which is another SIGHUP
        await asyncio.to_thread(fifo.write_text, "go on\n")
        await visit
        await app.ends()
    kept_in(home)
