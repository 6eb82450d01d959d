"""An authorization that is a fixed script, where a test needs to say what Stripe says."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from m3cred_tui.authorize.events import Approved, Event, Failed, UrlReady
from m3cred_tui.authorize.journal import Journal
from m3cred_tui.model.authorization import AuthorizationRequest
from m3cred_tui.model.credential import StripeAccount, TokenResponse
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret

NOW = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
URL = (
    "https://connect.stripe.com/oauth/authorize?response_type=code"
    "&client_id=ca_1ABCdefGHIjklMNOpqrSTUvwxYZ01234&scope=read_write"
    "&redirect_uri=http%3A%2F%2F127.0.0.1%3A27182%2Fcallback"
    "&state=d38MpXgYjq-4EKqz_BKaiFv9zh6LPqkaKJ9cpxcz4o4"
)
REQUEST = AuthorizationRequest(
    Secret("d38MpXgYjq-4EKqz_BKaiFv9zh6LPqkaKJ9cpxcz4o4"),
    "http://127.0.0.1:27182/callback",
    NOW + timedelta(minutes=9, seconds=41),
)
SHORT_URL = "http://127.0.0.1:27182/go/q3Vd9xKkTz0B"


def _ignore(text: str, *, final: bool) -> None:
    """Take no paste."""


READY = UrlReady(URL, REQUEST.redirect_uri, REQUEST.expires_at, _ignore, SHORT_URL)


@dataclass(frozen=True)
class ScriptedAuthorizer:
    """Tells these events, then waits for what never comes unless the last one is an end."""

    script: Sequence[Event]
    late: Callable[[Approved | Failed], None] | None = None
    journal: Journal = field(default_factory=Journal)

    async def reach(self) -> None:
        """Need no Stripe."""

    async def authorize(
        self, resumed: AuthorizationRequest | None = None
    ) -> AsyncGenerator[Event]:
        if resumed is None:
            self.journal.requested(REQUEST)
        for event in self.script:
            if isinstance(event, Approved):
                self.journal.answered(resumed or REQUEST)
                self.journal.approved(event.tokens, event.account)
            yield event
        if not isinstance(self.script[-1], Approved | Failed):
            await asyncio.Event().wait()


def approved(
    account: StripeAccount, unread: Problem | None = None, unkept: Problem | None = None
) -> Approved:
    tokens = TokenResponse(account.id, account.livemode, "read_write")
    return Approved(tokens, account, unread, unkept)
