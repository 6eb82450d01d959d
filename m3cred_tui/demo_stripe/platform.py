"""m3ter at the demo Stripe: its keys, and the accounts connected to it."""

import hmac
import math
import secrets
import time
from collections.abc import Callable

from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.demo_stripe.grants import (
    CODE_LIFETIME,
    REFRESH_TOKEN_LIFETIME,
    SCOPES,
    AccessToken,
    Account,
    Grant,
    Memory,
    TokenReply,
    mode,
)
from m3cred_tui.demo_stripe.replies import OAuthError
from m3cred_tui.model.credential import ACCESS_TOKEN_LIFETIME, OAuthModel
from m3cred_tui.model.text import clean


class Platform:
    """The state of the demo Stripe; only connections and unused codes outlive it."""

    def __init__(
        self,
        description: Description,
        *,
        now: Callable[[], float] = time.monotonic,
        token_seconds: float = ACCESS_TOKEN_LIFETIME.total_seconds(),
        memory: Memory | None = None,
    ) -> None:
        self.description = description
        self.now = now
        self._token_seconds = token_seconds
        self._memory = memory or Memory()
        self._grants: dict[str, Grant] = {}  # by authorization code
        self._refresh_tokens: dict[str, Grant] = {}  # with the invalid ones
        self._access_tokens: dict[str, AccessToken] = {}

    def mode_of_client(self, client_id: str) -> bool | None:
        """Return the client id's livemode, or ``None`` if it is unknown."""
        test, live = self.description.test, self.description.live
        return {test.client_id: False, live.client_id: True}.get(client_id)

    def mode_of_key(self, secret_key: str) -> bool | None:
        """Return the secret key's livemode, or ``None`` if it is not the platform's."""
        for keys, livemode in ((self.description.test, False), (self.description.live, True)):
            if hmac.compare_digest(keys.secret_key.reveal().encode(), secret_key.encode()):
                return livemode
        return None

    def approve(
        self, account: Account, scope: str, *, livemode: bool, oauth: OAuthModel
    ) -> str:
        """Approve access to ``account`` and return the authorization code."""
        code = f"ac_demo{secrets.token_hex(16)}"
        grant = self._grants[code] = Grant(account, livemode, scope, oauth, self.now())
        self._memory.keep_code(code, grant)
        return code

    def exchange(self, code: str, *, livemode: bool, oauth: OAuthModel) -> TokenReply:
        """Grant the tokens for a code, once, within five minutes of the approval.

        A code used twice may have been stolen, so its tokens are revoked (RFC 6749,
        section 4.1.2).

        Raises :class:`OAuthError`, ``invalid_grant``.
        """
        grant = self._grants.get(code) or self._memory.recall_code(code, self.now())
        if grant is None or grant.oauth is not oauth:
            raise _invalid_grant(f"Authorization code does not exist: {clean(code)}")
        _check_mode(grant, "authorization code", livemode=livemode)
        if grant.refresh_token is not None:
            grant.revoked = True
            self._memory.forget(grant.account.id, livemode=livemode)
            raise _invalid_grant(
                "This authorization code has already been used. "
                "All tokens issued with this code have been revoked."
            )
        if self.now() - grant.approved_at >= CODE_LIFETIME:
            raise _invalid_grant("Authorization code expired.")
        self._grants[code] = grant
        self._memory.forget_code(code)
        if oauth is OAuthModel.CONNECT:
            self._memory.remember(grant.account, livemode=livemode)
        return self._issue(grant, self._new_refresh_token(grant), grant.scope)

    def refresh(self, refresh_token: str, scope: str | None, *, livemode: bool) -> TokenReply:
        """Grant another access token of Connect, of the same or a narrower scope.

        Raises :class:`OAuthError`, ``invalid_grant`` or ``invalid_scope``.
        """
        grant = self._refreshable(refresh_token, OAuthModel.CONNECT, livemode=livemode)
        scope = scope or grant.scope
        if scope not in SCOPES or SCOPES.index(scope) > SCOPES.index(grant.scope):
            raise OAuthError(
                "invalid_scope", f"The scope must be {grant.scope} or lesser: {clean(scope)}"
            )
        return self._issue(grant, refresh_token, scope)

    def roll(self, refresh_token: str, *, livemode: bool) -> TokenReply:
        """Replace both tokens of Stripe Apps; the old ones become invalid immediately.

        Raises :class:`OAuthError`, ``invalid_grant``.
        """
        grant = self._refreshable(refresh_token, OAuthModel.APPS, livemode=livemode)
        if grant.refresh_token != refresh_token:
            raise _invalid_grant("This refresh token has been used: there is a newer one.")
        if self.now() - grant.refreshed_at >= REFRESH_TOKEN_LIFETIME:
            raise _invalid_grant("This refresh token has expired.")
        return self._issue(grant, self._new_refresh_token(grant), grant.scope)

    def disconnect(self, account_id: str, *, livemode: bool, oauth: OAuthModel) -> bool:
        """Revoke all grants of the account in this mode; return whether there were any."""
        grants = self._connecting(account_id, livemode=livemode, oauth=oauth)
        for grant in grants:
            grant.revoked = True
        if oauth is not OAuthModel.CONNECT:
            return bool(grants)
        known = self._memory.recall(account_id, livemode=livemode) is not None
        self._memory.forget(account_id, livemode=livemode)
        return known or bool(grants)

    def connected_account(self, account_id: str, *, livemode: bool) -> Account | None:
        """Return the account if the platform's key reaches it, which only Connect allows."""
        grants = self._connecting(account_id, livemode=livemode, oauth=OAuthModel.CONNECT)
        if grants:
            return grants[0].account
        return self._memory.recall(account_id, livemode=livemode)

    def connections(self) -> list[Grant]:
        """Return one grant for each connected account, mode and model, sorted by name."""
        found = {
            (grant.account.trading_name, grant.account.id, grant.livemode, grant.oauth): grant
            for grant in self._grants.values()
            if grant.is_connected
        }
        return [found[key] for key in sorted(found)]

    def access_token(self, token: str) -> AccessToken | None:
        """Return the access token, valid or not."""
        return self._access_tokens.get(token)

    def _connecting(self, account_id: str, *, livemode: bool, oauth: OAuthModel) -> list[Grant]:
        return [
            grant
            for grant in self._grants.values()
            if grant.connects(account_id, livemode=livemode, oauth=oauth)
        ]

    def _refreshable(self, refresh_token: str, oauth: OAuthModel, *, livemode: bool) -> Grant:
        grant = self._refresh_tokens.get(refresh_token)
        if grant is None or grant.oauth is not oauth:
            raise _invalid_grant("Refresh token does not exist.")
        _check_mode(grant, "refresh token", livemode=livemode)
        if grant.revoked:
            raise _invalid_grant("This refresh token has been revoked.")
        return grant

    def _new_refresh_token(self, grant: Grant) -> str:
        refresh_token = f"rt_demo{secrets.token_hex(16)}"
        grant.refresh_token, grant.refreshed_at = refresh_token, self.now()
        self._refresh_tokens[refresh_token] = grant
        return refresh_token

    def _issue(self, grant: Grant, refresh_token: str, scope: str) -> TokenReply:
        word, is_app = mode(livemode=grant.livemode), grant.oauth is OAuthModel.APPS
        # An app's rights are those of its manifest, so its key is a restricted one.
        kind, lasts = ("rk", self._token_seconds) if is_app else ("sk", math.inf)
        access_token = f"{kind}_{word}_acctdemo{secrets.token_hex(16)}"
        self._access_tokens[access_token] = AccessToken(grant, self.now() + lasts)
        grant.access_token = access_token
        return TokenReply(grant, scope, access_token, refresh_token)


def _check_mode(grant: Grant, what: str, *, livemode: bool) -> None:
    if grant.livemode != livemode:
        raise _invalid_grant(
            f"Passed in {mode(livemode=livemode)} mode API key, but the {what} is of "
            f"{mode(livemode=grant.livemode)} mode."
        )


def _invalid_grant(description: str) -> OAuthError:
    return OAuthError("invalid_grant", description)
