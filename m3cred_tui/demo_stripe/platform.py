"""m3ter at the demo Stripe: its keys, and which accounts are connected to it."""

import hmac
import secrets
import time
from collections.abc import Callable

from m3cred_tui.demo_stripe.business import Account
from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.demo_stripe.errors import OAuthError
from m3cred_tui.demo_stripe.grants import CODE_LIFETIME, SCOPES, Grant, TokenReply, mode
from m3cred_tui.model.text import clean


class Platform:
    """Everything the demo Stripe knows, in memory only."""

    def __init__(
        self, description: Description, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.description = description
        self.now = now
        self._grants: dict[str, Grant] = {}  # by authorization code
        self._access_tokens: dict[str, Grant] = {}

    def mode_of_client(self, client_id: str) -> bool | None:
        """Return the client id's livemode, or ``None`` for one that nobody has."""
        test, live = self.description.test, self.description.live
        return {test.client_id: False, live.client_id: True}.get(client_id)

    def mode_of_key(self, secret_key: str) -> bool | None:
        """Return the secret key's livemode, or ``None`` for one that is not the platform's."""
        for keys, livemode in ((self.description.test, False), (self.description.live, True)):
            if hmac.compare_digest(keys.secret_key.reveal().encode(), secret_key.encode()):
                return livemode
        return None

    def approve(self, account: Account, scope: str, *, livemode: bool) -> str:
        """Connect ``account`` and return the authorization code that says so."""
        code = f"ac_demo{secrets.token_hex(16)}"
        self._grants[code] = Grant(account, livemode, scope, self.now())
        return code

    def exchange(self, code: str, *, livemode: bool) -> TokenReply:
        """Give the tokens for a code, once, within five minutes of the approval.

        A code that comes again may have been stolen: what it gave before is revoked
        (RFC 6749, section 4.1.2).

        Raises :class:`OAuthError`, ``invalid_grant``.
        """
        grant = self._grants.get(code)
        if grant is None:
            raise _invalid_grant(f"Authorization code does not exist: {clean(code)}")
        _check_mode(grant, "authorization code", livemode=livemode)
        if grant.refresh_token is not None:
            grant.revoked = True
            raise _invalid_grant(
                "This authorization code has already been used. "
                "All tokens issued with this code have been revoked."
            )
        if self.now() - grant.approved_at >= CODE_LIFETIME:
            raise _invalid_grant("Authorization code expired.")
        grant.refresh_token = f"rt_demo{secrets.token_hex(16)}"
        return self._issue(grant, grant.refresh_token, grant.scope)

    def refresh(self, refresh_token: str, scope: str | None, *, livemode: bool) -> TokenReply:
        """Give another access token, of equal or lesser scope.

        Raises :class:`OAuthError`, ``invalid_grant`` or ``invalid_scope``.
        """
        grant = next(
            (each for each in self._grants.values() if each.refresh_token == refresh_token),
            None,
        )
        if grant is None:
            raise _invalid_grant("Refresh token does not exist.")
        _check_mode(grant, "refresh token", livemode=livemode)
        if grant.revoked:
            raise _invalid_grant("This refresh token has been revoked.")
        scope = scope or grant.scope
        if scope not in SCOPES or SCOPES.index(scope) > SCOPES.index(grant.scope):
            raise OAuthError(
                "invalid_scope", f"The scope must be {grant.scope} or lesser: {clean(scope)}"
            )
        return self._issue(grant, refresh_token, scope)

    def disconnect(self, account_id: str, *, livemode: bool) -> bool:
        """Revoke all that the account granted in this mode; tell whether there was anything."""
        grants = self._connecting(account_id, livemode=livemode)
        for grant in grants:
            grant.revoked = True
        return bool(grants)

    def connected_account(self, account_id: str, *, livemode: bool) -> Account | None:
        """Return the account, where it is connected in this mode."""
        grants = self._connecting(account_id, livemode=livemode)
        return grants[0].account if grants else None

    def grant_of(self, access_token: str) -> Grant | None:
        """Return the grant, revoked or not, that gave this access token."""
        return self._access_tokens.get(access_token)

    def _connecting(self, account_id: str, *, livemode: bool) -> list[Grant]:
        return [
            grant
            for grant in self._grants.values()
            if grant.connects(account_id, livemode=livemode)
        ]

    def _issue(self, grant: Grant, refresh_token: str, scope: str) -> TokenReply:
        word = mode(livemode=grant.livemode)
        access_token = f"sk_{word}_acctdemo{secrets.token_hex(16)}"
        self._access_tokens[access_token] = grant
        publishable_key = f"pk_{word}_{grant.account.id.removeprefix('acct_')}"
        return TokenReply(grant, scope, access_token, refresh_token, publishable_key)


def _check_mode(grant: Grant, what: str, *, livemode: bool) -> None:
    if grant.livemode != livemode:
        raise _invalid_grant(
            f"Passed in {mode(livemode=livemode)} mode API key, but the {what} is of "
            f"{mode(livemode=grant.livemode)} mode."
        )


def _invalid_grant(description: str) -> OAuthError:
    return OAuthError("invalid_grant", description)
