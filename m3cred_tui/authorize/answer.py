"""Stripe's answer to one authorization request, by whichever way it comes first."""

import asyncio

from m3cred_tui.callback.pasted import pasted_redirect
from m3cred_tui.callback.redirect import RedirectResult
from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.authorization import AuthorizationRequest


class Answer:
    """Takes the redirect from the callback server, if there is one, or from a paste.

    It is used in the event loop's thread alone.
    """

    def __init__(
        self, request: AuthorizationRequest, server: CallbackServer | None, stripe: str
    ) -> None:
        """Take the request, and the address at which Stripe's own pages are."""
        self.request = request
        self.server = server
        self.was_pasted = asyncio.Event()
        self.is_claimed = False
        self._stripe = stripe
        self._pasted: RedirectResult | None = None

    def result(self) -> RedirectResult | None:
        """Return the first valid redirect, if one has come."""
        return self._pasted or (self.server.result() if self.server else None)

    async def hear_no_more(self) -> None:
        """Stop listening; after it, no redirect but a pasted one changes the result."""
        if self.server is not None:
            await asyncio.to_thread(self.server.close)

    def paste(self, text: str, *, final: bool) -> None:
        """Take a pasted address; ``final`` where it came as a whole.

        Raises what :func:`~m3cred_tui.callback.pasted.pasted_redirect` does; the wait goes on.
        """
        request = self.request
        result = pasted_redirect(
            text,
            request.state,
            redirect_uri=request.redirect_uri,
            stripe=self._stripe,
            final=final,
        )
        if self.result() is None:
            self._pasted = result
            if self.server is not None:
                self.server.take(result)
            self.was_pasted.set()
