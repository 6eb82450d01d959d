"""Stage 4: Authenticate."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from textual import on, work
from textual.containers import Container
from textual.content import Content
from textual.widgets import Button, Static

from m3cred_tui.authorize.events import (
    Approved,
    Event,
    Failed,
    UrlReady,
)
from m3cred_tui.authorize.journal import PendingJournal, created, draft_of
from m3cred_tui.config.problems import Misplaced
from m3cred_tui.config.settings import NotSetUp
from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.stages.panels import (
    CREATE,
    GO_TO_STRIPE,
    SET_UP,
    TRY_DEMO,
    AccountPanel,
    InformationPanel,
    PreparingPanel,
    ProblemPanel,
    SettingsPanel,
)
from m3cred_tui.ui.stages.stage import Stage
from m3cred_tui.ui.stages.waiting import Setting, WaitingPanel
from m3cred_tui.ui.widgets.controls import mode_mark

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget
    from textual.worker import Worker

    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.model.authorization import AuthorizationRequest
    from m3cred_tui.model.credential import Destination, Draft, StripeAccount
    from m3cred_tui.store.port import CredentialStore
    from m3cred_tui.ui.services import Services

_WAITS_IN_LIST = "It waits in the list of credentials: press Enter on it to go on."


class AuthenticateStage(Stage):
    """Follows an authorization, shows the account, and creates the credential."""

    LABEL = "Authenticate"
    TITLE = "Authenticate"

    def __init__(self, services: Services, pending: Credential | None = None) -> None:
        """Begin with what Stripe has approved before, where that is given."""
        super().__init__()
        self._services = services
        self._authorization: Worker[None] | None = None
        self._pending = pending
        self._approved: Approved | None = None

    def compose_panel(self) -> ComposeResult:
        yield Static(id="summary")
        yield Container(id="panel")

    async def arrive(self, draft: Draft) -> None:
        await super().arrive(draft)
        self.query_one("#summary", Static).update(_summary(draft))
        pending = self._pending
        if pending is None or pending.destination != draft.destination:
            await self._show(InformationPanel())
        elif self._approved is not None:
            await self._show(AccountPanel(self._approved))
        elif pending.account is not None:
            await self._show_kept(pending, pending.account)
        else:
            self._authorization = self._authorize(pending.destination, pending)

    def leave(self) -> None:
        if self._authorization is not None:
            self._authorization.cancel()

    async def _show_kept(self, pending: Credential, account: StripeAccount) -> None:
        """Go on with an approval that was kept."""
        try:
            tokens = await asyncio.to_thread(self._services.store.tokens, pending.id)
        except Problem as problem:
            self._pending = None
            await self._show(ProblemPanel(problem))
        else:
            self._approved = Approved(tokens, account)
            await self._show(AccountPanel(self._approved, pending.created_at))

    @property
    def kept(self) -> Draft | None:
        if self._pending is None or self.would_lose is not None:
            return None
        return draft_of(self._pending)

    @property
    def _shows_approval(self) -> bool:
        return bool(self.query(AccountPanel))

    @property
    def would_lose(self) -> str | None:
        if self._shows_approval and self._approved is not None and self._approved.unkept:
            return (
                "Stripe has approved access, but it could not be written to the disk. To keep "
                "it, stay and select Create Credential."
            )
        return None

    @property
    def _panel(self) -> Container:
        return self.query_one("#panel", Container)

    @property
    def _waiting(self) -> WaitingPanel | None:
        return next(iter(self.query(WaitingPanel)), None)

    async def _show(self, panel: Widget) -> None:
        """Change the panel; focus goes to its button, the next thing to do."""
        with self.app.batch_update():
            self.screen.set_focus(None)  # else it goes to the sidebar, and back, for all to see
            await self._panel.remove_children()
            await self._panel.mount(panel)
        self.take_focus()
        self.call_after_refresh(self._bring_focus_into_view)
        self.refresh_bindings()

    def _bring_focus_into_view(self) -> None:
        # Its button has a place only now, or another one than before.
        if self.screen.focused is not None:
            self.screen.focused.scroll_visible(animate=False)

    @on(Button.Pressed, f"#{GO_TO_STRIPE}")
    def _go_to_stripe(self) -> None:
        if self.draft.destination is not None:
            pending = next((panel.pending for panel in self.query(SettingsPanel)), None)
            self._authorization = self._authorize(self.draft.destination, pending)

    @on(Button.Pressed, f"#{SET_UP}")
    @work(exclusive=True, group="settings")
    async def _set_up(self) -> None:
        """Open the settings of the destination, and go on with what they are then."""
        if self.draft.destination is not None:
            await self.app.run_action(f"app.set_up({self.draft.destination.code!r})")
            self._go_to_stripe()

    @on(Button.Pressed, f"#{TRY_DEMO}")
    @work(exclusive=True, group="settings")
    async def _try_demo(self) -> None:
        await self.app.run_action("app.try_demo")

    @work(exclusive=True, group="authorization")
    async def _authorize(
        self, destination: Destination, pending: Credential | None = None
    ) -> None:
        """Follow a new authorization, or the one that ``pending`` waits with."""
        await self._show(PreparingPanel())
        services = self._services
        journal = PendingJournal(
            services.store, self.draft, services.now, services.created_by, pending
        )
        try:
            authorizer = await asyncio.to_thread(self._prepare, destination, journal)
            request = await asyncio.to_thread(self._request_of, pending)
        except (NotSetUp, Misplaced) as problem:
            await self._show(SettingsPanel(problem, destination, pending))
            return
        except Problem as problem:
            self._pending = None
            await self._show(ProblemPanel(problem))
            return
        try:
            async with aclosing(authorizer.authorize(request)) as happenings:
                async for event in happenings:
                    self._pending = journal.credential
                    await self._follow(event)
        finally:
            services.ways.forget()

    def _prepare(self, destination: Destination, journal: PendingJournal) -> Authorizer:
        """Make sure that what Stripe will approve can be kept, before Stripe is asked."""
        self._services.store.prepare()
        authorizer = self._services.authorizer(destination)
        return replace(authorizer, journal=journal, late=partial(self._too_late, journal))

    def _request_of(self, pending: Credential | None) -> AuthorizationRequest | None:
        return None if pending is None else self._services.store.requests.read(pending.id)

    def _too_late(self, journal: PendingJournal, end: Approved | Failed) -> None:
        """Tell of an approval that came after the user had left; it is what to go on with."""
        if isinstance(end, Approved):
            kept = journal.credential
            if self._pending is not None and kept is not None and self._pending.id == kept.id:
                self._pending, self._approved = kept, end
            text = f"Stripe connected {end.account.id} after you left. "
            text += f"It is lost: {end.unkept}" if end.unkept else _WAITS_IN_LIST
            self.app.notify(text, severity="warning", markup=False, timeout=30)

    async def _follow(self, event: Event) -> None:
        match event:
            case UrlReady():
                self._approved = None  # it is of another request
                await self._show_waiting(event)
                await self._painted()  # the URL is seen before any browser is tried
            case Approved():
                self._approved = event
                typed = self._waiting is not None and self._waiting.was_typed
                await self._show(AccountPanel(event, was_typed=typed))
            case Failed(problem):
                self._pending = self._approved = None
                await self._show(ProblemPanel(problem))
            case _:
                if self._waiting is not None:
                    self._waiting.follow(event)
                    self.call_after_refresh(self._bring_focus_into_view)

    async def _show_waiting(self, ready: UrlReady) -> None:
        ways = self._services.ways
        here = await ways.here()
        port = urlsplit(ready.short_url or "").port
        tunnel = ways.tunnel(port, here).command if port else None
        reason = next(iter(here.reasons), "")
        setting = Setting(here.browser_is_elsewhere, reason, tunnel, ways.is_linked())
        await self._show(WaitingPanel(ready, setting, self._services))

    async def _painted(self) -> None:
        painted = asyncio.Event()
        self.call_after_refresh(painted.set)
        await painted.wait()

    @on(Button.Pressed, f"#{CREATE}")
    def _create(self, message: Button.Pressed) -> None:
        message.button.disabled = True
        self._save()

    @work(exclusive=True, group="create")
    async def _save(self) -> None:
        """Keep the credential; a failure keeps the approval and says why."""
        if self._approved is None or self._pending is None:
            return
        store, tokens = self._services.store, self._approved.tokens
        credential = created(self._pending, self._approved.account, self.draft)
        try:
            await asyncio.to_thread(store.create, credential, tokens)
        except Problem as problem:
            if not _is_created(store, credential.id):  # the disk has the last word
                self.query_one(AccountPanel).notice(f"! {problem}")
                self.call_after_refresh(self._bring_focus_into_view)
                return
            self.notify(str(problem), severity="warning", markup=False)
        self.post_message(self.Created(credential.id))


def _is_created(store: CredentialStore, credential_id: str) -> bool:
    try:
        row = store.read(credential_id)
    except Problem:
        return False
    return isinstance(row, Credential) and row.status is Status.AUTHENTICATED


def _summary(draft: Draft) -> Content:
    if draft.entity_type is None or draft.destination is None:
        return Content()
    way = f"{draft.name}: {draft.entity_type.label} to {draft.destination.label} "
    return Content.assemble(way, mode_mark(livemode=draft.destination.livemode))
