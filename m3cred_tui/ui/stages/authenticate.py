"""Stage 4: Authenticate."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from textual import on, work
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from m3cred_tui.authorize.authorization import Authorization, State
from m3cred_tui.authorize.events import Approved, Failed, UrlReady
from m3cred_tui.authorize.problems import OtherAccount, RenewedGone
from m3cred_tui.authorize.renewal import account_to_approve
from m3cred_tui.config.problems import Misplaced
from m3cred_tui.config.settings import NotSetUp
from m3cred_tui.listing.columns import kept_how
from m3cred_tui.model.credential import Credential
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.problems import NameTaken
from m3cred_tui.ui.stages.account import CREATE, NOT_KEPT_YET, REFUSE, AccountPanel
from m3cred_tui.ui.stages.stage import ROOM_BESIDE, Stage, note
from m3cred_tui.ui.stages.waiting import WaitingPanel
from m3cred_tui.ui.terminal.driver import seen
from m3cred_tui.ui.widgets.bars import noticing
from m3cred_tui.ui.widgets.controls import Press, mode_mark, show_focus
from m3cred_tui.ui.widgets.forms import Notice, SetUpOffer

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import ComposeResult
    from textual.widget import Widget
    from textual.worker import Worker

    from m3cred_tui.authorize.events import End, Event, Paste
    from m3cred_tui.browser.terminal import QrCode
    from m3cred_tui.model.credential import Draft
    from m3cred_tui.ui.services import Services

GO_TO_STRIPE = "go-to-stripe"

_GIVE_UP = "Yes, give it up"
_REFUSING = (
    "This approval is given up, and you approve that of another account at Stripe. The account "
    "itself stays connected there."
)
_INFORMATION = (
    "You will need to provide authentication details on the Stripe website.\n\n"
    "Under Get started with Stripe, log in to your Stripe account and approve access for "
    "m3ter. Then select Return to m3ter at the left-hand side. This page continues on its own."
)
_PENDING = "It is pending in the list of credentials: press Enter on it to resume it."
_WOULD_LOSE = (
    "Stripe has approved access, and that is in memory only, as it could not be written to the "
    "disk. m3cred keeps trying while it runs."
)


def _button(label: str, name: str) -> Button:
    return Press(label, id=name, variant="primary")


def _information(renewed: Credential | None = None) -> Vertical:
    """Return what is shown before Stripe: what will be asked for there, and which account."""
    told = f"\n\n{account_to_approve(renewed)}" if renewed else ""
    text = Static(Content(f"{_INFORMATION}{told}"), classes="information")
    return Vertical(text, _button("Go to Stripe", GO_TO_STRIPE))


def _failed(problem: Problem) -> Vertical:
    """Return what is shown when the authorization has ended; a new one can begin."""
    button = _button("Go to Stripe", GO_TO_STRIPE)
    return Vertical(Notice(f"! {problem}"), button, note("Enter tries again, Esc goes back."))


class SettingsPanel(Vertical):
    """The destination is not set up, or not correctly: nothing was asked of Stripe."""

    def __init__(self, problem: NotSetUp | Misplaced, authorization: Authorization) -> None:
        """Take the authorization that is followed once the settings are right."""
        super().__init__()
        self.authorization = authorization
        self._problem = problem

    def compose(self) -> ComposeResult:
        yield SetUpOffer({self.authorization.destination: self._problem})
        if not isinstance(self._problem, NotSetUp):
            # It may be fixed elsewhere, as by unlocking what holds the key.
            yield _button("Go to Stripe", GO_TO_STRIPE)
        yield note("Enter opens the settings of this destination, then returns here.")


class AuthenticateStage(Stage):
    """Draws an authorization: the wait for Stripe, the account, and what goes wrong."""

    LABEL = "Authenticate"
    TITLE = "Authenticate"

    def __init__(self, services: Services, pending: Credential | None = None) -> None:
        """Take the pending credential to be resumed, if there is one."""
        super().__init__()
        self._services = services
        self._following: Worker[None] | None = None
        self._authorization = None if pending is None else self._begun(pending)

    def _begun(self, what: Draft | Credential) -> Authorization:
        services = self._services
        authorization = Authorization(
            services.store,
            services.authorizer,
            what,
            now=services.now,
            created_by=services.created_by,
            late=lambda end: self._tell_late(end, authorization.pending),
        )
        return authorization

    def compose_panel(self) -> ComposeResult:
        yield Static(id="summary")
        yield Container(id="panel")

    async def arrive(self, draft: Draft) -> None:
        await super().arrive(draft)
        self.query_one("#summary", Static).update(_summary(draft))
        authorization = self._authorization
        pending = None if authorization is None else authorization.pending
        if authorization is None or pending is None or pending.destination != draft.destination:
            await self._show_information()
        elif authorization.state is State.KEPT:
            await self._follow(authorization, since=pending.created_at)
        elif authorization.end is not None:
            await self._follow(authorization)
        else:
            self._following = self._authorize(authorization)

    async def _show_information(self) -> None:
        renewed = None
        if self.draft.renews:
            with suppress(Problem):  # which is told once it is approved
                row = await asyncio.to_thread(self._services.store.read, self.draft.renews)
                renewed = row if isinstance(row, Credential) else None
        await self._show(_information(renewed))

    def leave(self) -> None:
        if self._following is not None:
            self._following.cancel()

    @property
    def kept(self) -> Draft | None:
        return None if self._authorization is None else self._authorization.kept

    @property
    def would_lose(self) -> str | None:
        if self._authorization and self._authorization.would_lose and self._account:
            return _WOULD_LOSE
        return None

    @property
    def _panel(self) -> Container:
        return self.query_one("#panel", Container)

    @property
    def _account(self) -> AccountPanel | None:
        return next(iter(self.query(AccountPanel)), None)

    @property
    def _waiting(self) -> WaitingPanel | None:
        return next(iter(self.query(WaitingPanel)), None)

    async def _show(self, panel: Widget, code: QrCode | None = None) -> None:
        """Change the panel; focus goes to its button, the next thing to do."""
        with self.app.batch_update():
            self.screen.set_focus(None)  # else it goes to the sidebar, and back, for all to see
            self.waits = isinstance(panel, WaitingPanel)
            noticing(self.app).forget_answers()
            self.qr_code = code
            await self._panel.remove_children()
            await self._panel.mount(panel)
        self.take_focus()
        show_focus(self)
        self.refresh_bindings()

    @on(Button.Pressed, f"#{GO_TO_STRIPE}")
    @on(SetUpOffer.Returned)
    def _go_to_stripe(self) -> None:
        if self.draft.destination is not None:
            before = next((panel.authorization for panel in self.query(SettingsPanel)), None)
            self._following = self._authorize(before or self._begun(self.draft))

    @work(exclusive=True, group="authorization")
    async def _authorize(self, authorization: Authorization) -> None:
        await self._show(Static("… Preparing the authorization request"))
        await self._follow(authorization)

    async def _follow(
        self, authorization: Authorization, since: datetime | None = None
    ) -> None:
        """Draw what happens, until there is an account or it has failed."""
        is_url_shown = False
        try:
            async with aclosing(authorization.follow()) as events:
                async for event in events:
                    self._authorization = authorization
                    if isinstance(event, UrlReady):
                        is_url_shown = True
                        await self._show_waiting(event, authorization.paste)
                    else:
                        await self._draw(event, since)
            if authorization.would_lose:
                with suppress(Problem):  # the end of the app tries again
                    await authorization.until_kept(None)
                if (panel := self._account) and not authorization.would_lose:
                    panel.say_kept()
        except (NotSetUp, Misplaced) as problem:
            await self._show(SettingsPanel(problem, authorization))
        except Problem as problem:
            self._authorization = None
            await self._show(_failed(problem))
        finally:
            if is_url_shown:
                self._services.ways.forget()

    async def _draw(self, event: Event, since: datetime | None) -> None:
        match event:
            case Approved():
                await self._show_account(event, since)
            case Failed(problem):
                self._authorization = None
                await self._show(_failed(problem))
            case _:
                if self._waiting is not None:
                    self._waiting.follow(event)
                    show_focus(self)

    async def _show_account(self, approved: Approved, since: datetime | None = None) -> None:
        """Show the account, next to the one before if it renews a credential."""
        was_typed = self._waiting is not None and self._waiting.was_typed
        may_end = was_typed or self.is_enter_expected()
        told, renewed, store = "", None, self._services.store
        if (authorization := self._authorization) is not None:
            try:
                renewed = await asyncio.to_thread(authorization.renewed)
            except RenewedGone as gone:
                told = f"! {gone} Select Create Credential for that."
                authorization.renew_nothing()
                self.draft = self.draft._replace(renews=None)
                self.post_message(self.Released(self.draft))
            except Problem as problem:
                told = f"! {problem}"
        pending = None if authorization is None else authorization.pending
        kept = await asyncio.to_thread(kept_how, store, pending)
        panel = AccountPanel(approved, since, renewed=renewed, may_end=may_end, kept=kept)
        await self._show(panel)
        if told:
            panel.notice(told)

    def _tell_late(self, end: End, pending: Credential | None) -> None:
        """Report an approval that came after the user had left."""
        if isinstance(end, Approved):
            text = f"Stripe connected {end.account.id} after you left. "
            text += f"{NOT_KEPT_YET} {end.unkept}" if end.unkept else _PENDING
            about = [] if pending is None else [pending]
            noticing(self.app).notify(text, severity="warning", markup=False, about=about)

    @property
    def _has_room_for_qr(self) -> bool:
        return self.app.size.width >= ROOM_BESIDE[0] and self.app.size.height >= ROOM_BESIDE[1]

    @work(exclusive=True, group="qr")
    async def on_resize(self) -> None:
        """Make the QR code once there is room for it."""
        if (panel := self._waiting) and self.qr_code is None and self._has_room_for_qr:
            self.qr_code = await self._services.ways.qr_code(panel.url)

    async def _show_waiting(self, ready: UrlReady, paste: Paste) -> None:
        ways = self._services.ways
        whereabouts = await ways.whereabouts(ready.short_url)
        code = await ways.qr_code(ready.url) if self._has_room_for_qr else None
        await self._show(WaitingPanel(ready, paste, whereabouts, self._services), code)
        await seen(self.screen)  # before any browser is tried

    @on(Button.Pressed, f"#{CREATE}")
    def _create(self, message: Button.Pressed) -> None:
        message.button.disabled = True
        panel = self.query_one(AccountPanel)
        if panel.other:
            self.post_message(self.Asked(panel.other.question, str(panel.other), self._agree))
        else:
            self._save()

    def _agree(self, agreed: bool) -> None:  # noqa: FBT001  the answer of a dialog
        """Replace the account by another, which needs an agreement of its own."""
        if agreed:
            self._save()
        else:
            self.query_one(AccountPanel).notice("")

    @on(Button.Pressed, f"#{REFUSE}")
    def _refuse(self) -> None:
        """Ask before an approval is given up."""
        self.post_message(
            self.Asked("Another account?", _REFUSING, self._begin_again, _GIVE_UP)
        )

    @work(exclusive=True, group="create")
    async def _begin_again(self, agreed: bool) -> None:  # noqa: FBT001  the answer of a dialog
        """Give up the approval, and ask for that of another account."""
        authorization = self._authorization
        if not agreed or authorization is None or authorization.pending is None:
            return
        try:
            await asyncio.to_thread(self._services.store.delete, authorization.pending.id)
        except Problem as problem:
            self.query_one(AccountPanel).notice(f"! {problem}")
        else:
            self._authorization = None
            await self._show_information()

    @work(exclusive=True, group="create")
    async def _save(self) -> None:
        """Keep the credential; a failure keeps the approval and says why."""
        authorization, panel = self._authorization, self.query_one(AccountPanel)
        if authorization is None or authorization.state is not State.APPROVED:
            return
        replacing = panel.other.before.id if panel.other else None
        try:
            created = await authorization.create(self.draft.name, replacing=replacing)
        except (OtherAccount, RenewedGone):  # since it was shown
            if isinstance(authorization.end, Approved):
                await self._show_account(authorization.end)
        except Problem as problem:
            told = f"! {problem}"
            if isinstance(problem, NameTaken):
                told += " Go back and enter another one."
            panel.notice(told)
            show_focus(self)
        else:
            if created.doubt is not None:
                text, about = str(created.doubt), [created.credential]
                noticing(self.app).notify(text, severity="warning", markup=False, about=about)
            self.post_message(self.Created(created.credential.id))


def _summary(draft: Draft) -> Content:
    if draft.entity_type is None or draft.destination is None:
        return Content()
    what = f"Authorize {draft.name} again" if draft.renews else draft.name
    way = f"{what}: {draft.entity_type.label} to {draft.destination.label} "
    return Content.assemble(way, mode_mark(livemode=draft.destination.livemode))
