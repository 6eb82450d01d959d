"""One authorization from a draft to a credential, at the demo Stripe and a real store."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest

from m3cred_tui.authorize.authorization import Authorization, State
from m3cred_tui.authorize.events import (
    Approved,
    BrowserOpened,
    End,
    Event,
    Failed,
    RedirectReceived,
    UrlReady,
)
from m3cred_tui.authorize.journal import created
from m3cred_tui.authorize.keeping import PATIENCE, Keeping, in_memory_only
from m3cred_tui.authorize.problems import (
    ApprovalLost,
    ApprovalNotKept,
    Expired,
    Refused,
)
from m3cred_tui.authorize.service import Authorizer
from m3cred_tui.callback.pasted import PasteIncomplete
from m3cred_tui.model.authorization import AuthorizationRequest
from m3cred_tui.model.credential import (
    BILL,
    STRIPE_TEST,
    Credential,
    Draft,
    Status,
    TokenResponse,
)
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.directory.requests import DirectoryRequests
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.port import Row, Stamp
from m3cred_tui.store.problems import (
    AlreadyThere,
    AnsweredElsewhere,
    NameTaken,
    OutcomeUnknown,
    StoreBusy,
    StoreUnusable,
)
from m3cred_tui.stripe.adapters import ConnectGateway
from m3cred_tui.stripe.problems import StripeProblem, StripeRefused, StripeUnreachable
from tests.authorize.conftest import Clock, StubStripe, response

DRAFT = Draft("Acme", BILL, STRIPE_TEST)

UNREADABLE = "0196d5c8-0000-7000-8000-00000000000a"

RedirectOf = Callable[..., str]
Begin = Callable[..., Authorization]
Ends = asyncio.Queue[End]


class Store(DirectoryStore):
    """A real store whose disk can fail at creating, before it has written or after."""

    failure: Problem | None = None
    fails_after: bool = False
    goes_away: bool = False
    """Whether it cannot be read after the failure, either."""
    is_away: bool = False

    def create(
        self, credential: Credential, tokens: TokenResponse, names_seen: Stamp | None = None
    ) -> None:
        if self.failure is None or self.fails_after:
            super().create(credential, tokens, names_seen)
        if self.failure is not None:
            self.is_away = self.goes_away
            raise self.failure

    def read(self, credential_id: str) -> Row | None:
        if self.is_away:
            raise StoreUnusable(self.data, "the disk reports an error")
        return super().read(credential_id)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    data = tmp_path / "data"
    return Store(data, IdentityFile(tmp_path / "config" / "identity.txt", data))


@pytest.fixture
def ends() -> Ends:
    """Return what became of exchanges that nobody followed any more."""
    return asyncio.Queue()


@pytest.fixture
def begin(store: Store, at_stub: Authorizer, clock: Clock, ends: Ends) -> Begin:
    def make(what: Draft | Credential = DRAFT) -> Authorization:
        return Authorization(
            store,
            {STRIPE_TEST: at_stub}.__getitem__,
            what,
            now=clock,
            created_by="ada@example",
            late=ends.put_nowait,
        )

    return make


async def follow(authorization: Authorization, redirect_of: RedirectOf) -> list[State]:
    """Follow to the end, pasting the redirect; return the state at each event."""
    states = []
    async with aclosing(authorization.follow()) as events:
        async for event in events:
            states.append(authorization.state)
            if isinstance(event, UrlReady):
                authorization.paste(redirect_of(event.url), final=True)
    return states


async def leave_at(authorization: Authorization, until: type[Event]) -> None:
    async with aclosing(authorization.follow()) as events:
        async for event in events:
            if isinstance(event, until):
                authorization.leave()


async def test_an_authorization_passes_through_named_states_from_draft_to_credential(
    begin: Begin, store: Store, redirect_of: RedirectOf, stub: StubStripe
) -> None:
    authorization = begin()
    assert authorization.state is State.NEW
    states = await follow(authorization, redirect_of)
    assert states[0] is State.REQUESTED
    assert states[-1] is State.APPROVED
    assert [*dict.fromkeys(states[:-1])] in (
        [State.REQUESTED],
        [State.REQUESTED, State.EXCHANGING],
        [State.REQUESTED, State.EXCHANGING, State.KEPT],
    )
    assert store.pending_ids() == store.ids() != []
    credential, doubt = await authorization.create(" Acme  two")
    assert (authorization.state, doubt) == (State.CREATED, None)
    assert (credential.name, credential.status) == ("Acme two", Status.AUTHENTICATED)
    assert store.read(credential.id) == credential
    assert (store.pending_ids(), stub.exchanges) == ([], 1)


async def test_stripe_is_not_asked_when_an_approval_could_not_be_kept(
    begin: Begin, tmp_path: Path, redirect_of: RedirectOf
) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "credentials").touch()
    authorization = begin()
    with pytest.raises(StoreUnusable):
        await follow(authorization, redirect_of)
    assert (authorization.state, authorization.pending) == (State.NEW, None)
    (data / "credentials").unlink()
    assert (await follow(authorization, redirect_of))[-1] is State.APPROVED


@pytest.mark.parametrize("until", [UrlReady, BrowserOpened])
async def test_leaving_the_wait_frees_the_port_and_the_same_request_is_resumed(
    begin: Begin,
    store: Store,
    redirect_of: RedirectOf,
    is_free: Callable[[], bool],
    until: type[Event],
) -> None:
    first = begin()
    await leave_at(first, until)
    assert is_free()
    assert (first.state, first.kept, first.would_lose) == (State.REQUESTED, DRAFT, None)
    (pending,) = map(store.read, store.pending_ids())
    assert isinstance(pending, Credential)
    assert pending == first.pending

    for resumed in (begin(pending), first):
        await leave_at(resumed, UrlReady)
    assert store.pending_ids() == [pending.id]
    await follow(begin(pending), redirect_of)
    assert store.pending_ids() == [pending.id]


@pytest.mark.parametrize(
    ("leaves", "cancels"), [(True, False), (True, True), (False, True)], ids=str
)
async def test_leaving_ends_the_wait_and_cancelling_the_task_around_it_as_well(
    begin: Begin, is_free: Callable[[], bool], leaves: bool, cancels: bool
) -> None:
    authorization = begin()
    waiting = asyncio.Event()

    async def wait() -> int:
        async with aclosing(authorization.follow()) as events:
            async for event in events:
                if isinstance(event, BrowserOpened):
                    waiting.set()
        task = asyncio.current_task()
        assert task is not None
        await asyncio.sleep(0)  # where a task that is cancelled would end
        return task.cancelling()

    task = asyncio.create_task(wait())
    await waiting.wait()
    await asyncio.sleep(0)  # into the wait for the next event
    for _ in range(2 * leaves):
        authorization.leave()
    if cancels:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        assert await task == 0
    assert is_free()
    assert authorization.state is State.REQUESTED


async def test_leaving_or_pasting_before_there_is_a_request_does_nothing(
    begin: Begin, store: Store, redirect_of: RedirectOf
) -> None:
    authorization = begin()
    authorization.leave()
    authorization.paste("http://127.0.0.1/callback?code=ac_1", final=True)
    assert store.ids() == []
    assert (await follow(authorization, redirect_of))[-1] is State.APPROVED


async def test_an_address_that_may_go_on_is_taken_when_it_came_as_a_whole(
    begin: Begin, redirect_of: RedirectOf
) -> None:
    authorization = begin()
    async with aclosing(authorization.follow()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        address, _, query = redirect_of(ready.url).partition("?")
        code_last = f"{address}?{'&'.join(reversed(query.split('&')))}"
        with pytest.raises(PasteIncomplete):
            authorization.paste(code_last, final=False)
        authorization.paste(code_last, final=True)
        assert isinstance([event async for event in events][-1], Approved)


@pytest.mark.parametrize("is_done", [False, True])
async def test_the_code_is_sent_only_when_the_disk_is_known_to_say_so(
    begin: Begin,
    store: Store,
    stub: StubStripe,
    redirect_of: RedirectOf,
    monkeypatch: pytest.MonkeyPatch,
    is_done: bool,
) -> None:
    monkeypatch.setattr("m3cred_tui.authorize.service._LOOK_AGAIN", 0.01)
    unsure, answer = 3, DirectoryRequests.answer

    def answer_unsurely(
        requests: DirectoryRequests, credential: Credential, request: AuthorizationRequest
    ) -> None:
        nonlocal unsure
        unsure -= 1
        if is_done or unsure == 0:
            answer(requests, credential, request)
        if unsure:
            assert stub.exchanges == 0
            raise OutcomeUnknown(store.data, "input/output error")

    monkeypatch.setattr(DirectoryRequests, "answer", answer_unsurely)
    authorization = begin()
    assert (await follow(authorization, redirect_of))[-1] is State.APPROVED
    assert unsure == (2 if is_done else 0)
    assert stub.exchanges == 1


async def test_leaving_an_exchange_keeps_the_approval_and_reports_it_later(
    begin: Begin, stub: StubStripe, redirect_of: RedirectOf, ends: Ends
) -> None:
    stub.may_answer.clear()
    authorization = begin()
    async with aclosing(authorization.follow()) as events:
        async for event in events:
            if isinstance(event, UrlReady):
                authorization.paste(redirect_of(event.url), final=True)
            if isinstance(event, RedirectReceived):
                await stub.arrived.wait()
                assert authorization.state is State.EXCHANGING
                authorization.leave()
    stub.may_answer.set()
    assert isinstance(await ends.get(), Approved)
    assert authorization.state is State.APPROVED
    assert stub.exchanges == 1


async def test_an_approval_that_was_kept_is_opened_without_asking_stripe_again(
    begin: Begin, store: Store, stub: StubStripe, redirect_of: RedirectOf
) -> None:
    await follow(begin(), redirect_of)
    (pending,) = map(store.read, store.pending_ids())
    assert isinstance(pending, Credential)
    resumed = begin(pending)
    assert resumed.state is State.KEPT
    assert await follow(resumed, redirect_of) == [State.APPROVED]
    await resumed.create(pending.name)
    assert (store.pending_ids(), stub.exchanges) == ([], 1)


async def test_a_request_answered_or_deleted_elsewhere_is_not_sent_again(
    begin: Begin, store: Store, redirect_of: RedirectOf
) -> None:
    first = begin()
    await leave_at(first, UrlReady)
    store.requests.drop(store.pending_ids()[0])
    with pytest.raises(AnsweredElsewhere):
        await follow(first, redirect_of)


async def test_a_code_is_not_sent_once_another_process_has_claimed_the_answer(
    begin: Begin, store: Store, stub: StubStripe, redirect_of: RedirectOf
) -> None:
    authorization = begin()
    async with aclosing(authorization.follow()) as events:
        async for event in events:
            if isinstance(event, UrlReady):
                assert authorization.pending
                pending = authorization.pending
                store.requests.answer(pending, store.requests.read(pending.id))
                authorization.paste(redirect_of(event.url), final=True)
    assert isinstance(authorization.end, Failed)
    assert isinstance(authorization.end.problem, AnsweredElsewhere)
    assert (authorization.state, authorization.kept) == (State.FAILED, None)
    assert stub.exchanges == 0


async def test_the_wait_ends_when_another_process_answers_and_not_for_a_disk_that_does_not(
    begin: Begin, store: Store, stub: StubStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("m3cred_tui.authorize.waiting._LOOK_EVERY", 0.01)
    looked = asyncio.Queue[bool]()
    loop, waits = asyncio.get_running_loop(), DirectoryRequests.waits

    def look(requests: DirectoryRequests, credential_id: str) -> bool:
        loop.call_soon_threadsafe(looked.put_nowait, is_well)
        if not is_well:
            raise StoreUnusable(store.data, "the disk reports an error")
        return waits(requests, credential_id)

    monkeypatch.setattr(DirectoryRequests, "waits", look)
    is_well, authorization = False, begin()
    async with aclosing(authorization.follow()) as events:
        while not isinstance(await anext(events), BrowserOpened):
            pass
        ending = asyncio.ensure_future(anext(events))
        for is_well in (False, True):
            while await looked.get() is not is_well:
                pass
            await looked.get()  # the one before it has had its effect
            assert not ending.done()
        (asked,) = store.pending_ids()
        row = store.read(asked)
        assert isinstance(row, Credential)
        store.requests.answer(row, store.requests.read(asked))
        failed = await ending
    assert isinstance(failed, Failed)
    assert isinstance(failed.problem, AnsweredElsewhere)
    assert failed.problem.id == asked
    assert stub.exchanges == 0


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("end", [Refused, Expired])
async def test_a_request_that_is_refused_or_over_is_removed_if_possible(
    begin: Begin,
    store: Store,
    clock: Clock,
    redirect_of: RedirectOf,
    monkeypatch: pytest.MonkeyPatch,
    end: type[Problem],
    fails: bool,
) -> None:
    if fails:
        busy = Mock(side_effect=StoreBusy(store.data))
        monkeypatch.setattr(DirectoryRequests, "drop", busy)
    authorization = begin()
    async with aclosing(authorization.follow()) as events:
        async for event in events:
            if isinstance(event, UrlReady) and end is Refused:
                refusal = redirect_of(event.url).replace("?code=", "?error=access_denied&was=")
                authorization.paste(refusal, final=True)
            elif isinstance(event, UrlReady):
                clock.forward(minutes=11)
    assert isinstance(authorization.end, Failed)
    assert isinstance(authorization.end.problem, end)
    assert len(store.ids()) == fails


@pytest.mark.parametrize("fails_after", [False, True])
async def test_the_disk_has_the_last_word_on_whether_it_is_created(
    begin: Begin,
    store: Store,
    tmp_path: Path,
    redirect_of: RedirectOf,
    fails_after: bool,
) -> None:
    authorization = begin()
    await follow(authorization, redirect_of)
    store.failure = OutcomeUnknown(tmp_path, "input/output error")
    store.fails_after = fails_after
    if fails_after:
        assert (await authorization.create("Acme")).doubt is store.failure
        assert authorization.state is State.CREATED
        return
    with pytest.raises(OutcomeUnknown):
        await authorization.create("Acme")
    assert authorization.state is State.APPROVED
    store.goes_away = True
    with pytest.raises(OutcomeUnknown):
        await authorization.create("Acme")
    assert authorization.state is State.APPROVED
    store.failure, store.is_away = None, False
    await authorization.create("Acme")


async def test_of_two_that_create_the_same_name_at_once_one_is_refused(
    begin: Begin, store: Store, redirect_of: RedirectOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = begin(), begin()
    for one in (first, second):
        await follow(one, redirect_of)
    read_many, both_looked = store.read_many, threading.Barrier(2)

    def look(credential_ids: Sequence[str]) -> list[Row | None]:
        rows = read_many(credential_ids)
        with suppress(threading.BrokenBarrierError):  # later looks are one by one
            both_looked.wait(0.5)
        both_looked.abort()
        return rows

    monkeypatch.setattr(store, "read_many", look)
    ends = await asyncio.gather(
        first.create("Acme"), second.create("aCME"), return_exceptions=True
    )
    assert sorted(type(end).__name__ for end in ends) == ["Created", "NameTaken"]
    refused = first if isinstance(ends[0], NameTaken) else second
    await refused.create("Another")


async def test_a_name_that_another_credential_has_is_refused_and_the_approval_stays(
    begin: Begin, store: Store, stub: StubStripe, redirect_of: RedirectOf
) -> None:
    stub.accounts *= 2
    first, second = begin(), begin()
    await follow(first, redirect_of)
    await first.create("Acme")
    await follow(second, redirect_of)
    with pytest.raises(NameTaken) as told:
        await second.create("  aCME ")
    assert told.value.name == "aCME"
    assert second.state is State.APPROVED
    (store.data / "credentials" / f"{UNREADABLE}.json").touch(0o600)
    await second.create("Other")
    assert len(store.ids()) == 3


async def test_nothing_is_created_before_stripe_has_approved_it(
    begin: Begin, store: Store
) -> None:
    authorization = begin()
    for state in (State.NEW, State.REQUESTED):
        assert authorization.state is state
        with pytest.raises(ValueError, match="not approved"):
            await authorization.create("Acme")
        await leave_at(authorization, UrlReady)
    assert store.pending_ids() == store.ids()


async def test_a_credential_that_was_created_without_anybody_knowing_is_not_in_its_own_way(
    begin: Begin, store: Store, redirect_of: RedirectOf
) -> None:
    authorization = begin()
    await follow(authorization, redirect_of)
    store.failure = OutcomeUnknown(store.data, "input/output error")
    store.fails_after = store.goes_away = True
    with pytest.raises(OutcomeUnknown):
        await authorization.create("Acme")
    store.failure, store.is_away = None, False
    assert isinstance((await authorization.create("Acme")).doubt, AlreadyThere)
    assert authorization.state is State.CREATED


async def test_leaving_loses_an_approval_that_could_not_be_kept_until_it_is_created(
    begin: Begin,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    redirect_of: RedirectOf,
) -> None:
    full = StoreUnusable(tmp_path, "the disk is full")

    def fail(_credential: Credential, _tokens: TokenResponse) -> None:
        raise full

    monkeypatch.setattr(store, "keep_pending", fail)
    authorization = begin()
    await follow(authorization, redirect_of)
    assert (authorization.would_lose, authorization.kept) == (full, None)
    await authorization.create("Acme")
    assert authorization.would_lose is None
    assert in_memory_only() == []


async def test_an_approval_that_could_not_be_kept_is_kept_as_soon_as_it_can_be(
    begin: Begin,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    redirect_of: RedirectOf,
) -> None:
    keep = store.keep_pending
    is_full = True

    def fail(credential: Credential, tokens: TokenResponse) -> None:
        if is_full:
            raise StoreUnusable(tmp_path, "the disk is full")
        keep(credential, tokens)

    monkeypatch.setattr(store, "keep_pending", fail)
    authorization = begin()
    await follow(authorization, redirect_of)
    assert [one.approved for one in in_memory_only()] == [authorization.end]
    row = store.read(store.pending_ids()[0])
    assert isinstance(row, Credential)
    assert row.status is Status.UNKNOWN
    with pytest.raises(StoreUnusable):
        await authorization.until_kept(0)
    is_full = False
    await authorization.until_kept(None)
    assert (authorization.would_lose, in_memory_only()) == (None, [])
    assert isinstance(authorization.end, Approved)
    kept = store.verified(row.id)
    assert isinstance(kept, Credential)
    assert kept == authorization.pending
    assert kept.account == authorization.end.account
    await authorization.create("Acme")


async def test_without_another_thread_an_approval_is_never_called_kept_before_it_is(
    begin: Begin,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    redirect_of: RedirectOf,
) -> None:
    full = StoreUnusable(tmp_path, "the disk is full")
    monkeypatch.setattr(Keeping, "start", Mock(side_effect=RuntimeError("no new thread")))
    authorization = begin()
    with monkeypatch.context() as patched:
        patched.setattr(store, "keep_pending", Mock(side_effect=full))
        await follow(authorization, redirect_of)
        with pytest.raises(StoreUnusable):
            await authorization.until_kept(None)
        (keeping,) = in_memory_only()
        keeping.attempt()
        assert in_memory_only() == [keeping]
    keeping.attempt()
    assert (authorization.would_lose, in_memory_only()) == (None, [])
    await authorization.until_kept(None)
    await authorization.create("Acme")


async def test_an_approval_that_is_given_up_comes_back_from_its_sealed_text(
    begin: Begin,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    redirect_of: RedirectOf,
) -> None:
    with monkeypatch.context() as patched:
        full = StoreUnusable(tmp_path, "the disk is full")
        patched.setattr(store, "keep_pending", Mock(side_effect=full))
        authorization = begin()
        await follow(authorization, redirect_of)
        (keeping,) = in_memory_only()
        assert keeping.daemon, "it would hold up the end of the process"
        assert 0 < keeping.until - time.monotonic() <= PATIENCE
        given_up = keeping.give_up()
    assert isinstance(given_up, ApprovalNotKept)
    assert (given_up.account_id, given_up.reason) == ("acct_1Stub", str(full))
    pending = store.keep_sealed(given_up.sealed)
    assert isinstance(authorization.end, Approved)
    assert pending.account == authorization.end.account
    assert store.tokens(pending.id).scope == authorization.end.tokens.scope


async def test_an_approval_is_given_up_for_the_last_reason_and_not_once_it_is_created(
    begin: Begin,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    redirect_of: RedirectOf,
) -> None:
    reason, keep = "the disk is full", store.keep_pending
    tried = threading.Semaphore(0)

    def fail(credential: Credential, tokens: TokenResponse) -> None:
        tried.release()
        if reason:
            raise StoreUnusable(tmp_path, reason)
        keep(credential, tokens)

    monkeypatch.setattr(store, "keep_pending", fail)
    monkeypatch.setattr("m3cred_tui.authorize.keeping._PAUSE", 0.01)
    authorization = begin()
    await follow(authorization, redirect_of)
    (keeping,) = in_memory_only()
    reason = "the file system is read-only"
    for _ in range(5):  # the first ones were before it
        await asyncio.to_thread(tried.acquire)
    assert "read-only" in str(keeping.problem)
    assert isinstance(authorization.end, Approved)
    assert authorization.pending is not None
    created_elsewhere = created(authorization.pending, authorization.end.account, "Acme")
    store.create(created_elsewhere, authorization.end.tokens)
    reason = ""
    await authorization.until_kept(5)
    assert keeping.give_up() is None


async def test_an_approval_that_cannot_even_be_sealed_is_reported_lost(
    begin: Begin,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    redirect_of: RedirectOf,
) -> None:
    full = StoreUnusable(tmp_path, "the disk is full")
    for method in ("keep_pending", "sealed"):
        monkeypatch.setattr(store, method, Mock(side_effect=full))
    await follow(begin(), redirect_of)
    (keeping,) = in_memory_only()
    given_up = keeping.give_up()
    assert isinstance(given_up, ApprovalLost)
    assert (given_up.account_id, given_up.reason) == ("acct_1Stub", str(full))


@pytest.mark.parametrize(
    ("status", "is_there"), [(400, False), (502, True)], ids=["refused", "unknown"]
)
async def test_a_code_whose_outcome_is_unknown_stays_in_the_list_until_it_is_deleted(
    begin: Begin,
    store: Store,
    stub: StubStripe,
    redirect_of: RedirectOf,
    status: int,
    is_there: bool,
) -> None:
    stub.exchange = response(b'{"error": "invalid_grant"}', status=status)
    authorization = begin()
    assert (await follow(authorization, redirect_of))[-1] is State.FAILED
    assert isinstance(authorization.end, Failed)
    assert isinstance(authorization.end.problem, StripeProblem)
    rows = store.read_many(store.ids())
    assert [row.status for row in rows if isinstance(row, Credential)] == (
        [Status.UNKNOWN] if is_there else []
    )
    assert store.requests.expire(datetime.max.replace(tzinfo=UTC)) == []


async def test_the_request_is_in_the_store_before_the_url_is_shown(
    begin: Begin, store: Store
) -> None:
    authorization = begin()
    async with aclosing(authorization.follow()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        (kept,) = store.pending_ids()
        request = store.requests.read(kept)
        assert isinstance(request, AuthorizationRequest)
        assert request.state.reveal() in ready.url


async def test_a_refused_code_that_cannot_be_removed_stays_in_the_list(
    begin: Begin,
    store: Store,
    stub: StubStripe,
    redirect_of: RedirectOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub.exchange = response(b'{"error": "invalid_grant"}', status=400)
    busy = Mock(side_effect=StoreBusy(store.data))
    monkeypatch.setattr(DirectoryRequests, "settle", busy)
    authorization = begin()
    await follow(authorization, redirect_of)
    assert isinstance(authorization.end, Failed)
    assert isinstance(authorization.end.problem, StripeRefused)
    (row,) = store.read_many(store.ids())
    assert isinstance(row, Credential)
    assert row.status is Status.UNKNOWN


@pytest.mark.parametrize("resumes", [False, True], ids=["new", "resumed"])
async def test_a_stripe_that_cannot_be_reached_is_reported_before_there_is_a_url_to_approve(
    begin: Begin,
    store: Store,
    at_stub: Authorizer,
    redirect_of: RedirectOf,
    monkeypatch: pytest.MonkeyPatch,
    resumes: bool,
) -> None:
    authorization = begin()
    if resumes:
        await leave_at(authorization, UrlReady)
    there = store.ids()
    assert isinstance(at_stub.gateway, ConnectGateway)
    with closed_port() as nobody, monkeypatch.context() as patch:
        platform = at_stub.gateway.platform._replace(connect_base=f"http://127.0.0.1:{nobody}")
        away = replace(at_stub, gateway=ConnectGateway(platform))
        patch.setattr(authorization, "_authorizer", lambda _destination: away)
        with pytest.raises(StripeUnreachable, match="refused the connection"):
            await follow(authorization, redirect_of)
    assert store.ids() == there
    assert authorization.state is (State.REQUESTED if resumes else State.NEW)
    assert (await follow(authorization, redirect_of))[-1] is State.APPROVED


@contextmanager
def closed_port() -> Iterator[int]:
    """Hold a port on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
