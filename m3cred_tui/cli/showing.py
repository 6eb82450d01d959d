"""All of one credential, in words and in JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.cli.results import error_fields
from m3cred_tui.cli.telling import json_text
from m3cred_tui.cli.words import account_text, iso, local, row_json, status_text
from m3cred_tui.model.credential import Credential, integration_fields
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.problems import CredentialDamaged, NotThere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.model.credential import TokenResponse
    from m3cred_tui.model.secret import Secret
    from m3cred_tui.store.directory.store import CredentialStore

    Json = dict[str, object]

_NOT_TOLD = "not told by Stripe"


class Shown(NamedTuple):
    """What there is to show of a credential."""

    credential: Credential
    check: CheckResult | None
    unopened: Problem | None
    """Why the sealed part was not opened; ``None`` if it was."""
    tokens: TokenResponse | None


def look(credential: Credential, store: CredentialStore, *, with_tokens: bool) -> Shown:
    """Look at everything there is of a credential.

    Raises what ``CredentialStore.tokens`` does if the tokens are wanted.
    """
    tokens = store.tokens(credential.id) if with_tokens else None
    unopened: Problem | None = None
    try:
        row = store.verified(credential.id)
    except Problem as problem:
        unopened = problem
    else:
        if row is None:
            raise NotThere(credential.id)
        if not isinstance(row, Credential):
            raise CredentialDamaged(row.id, row.reason)
    return Shown(credential, store.checks.read().get(credential.id), unopened, tokens)


def shown_text(shown: Shown) -> str:
    """Return what people read."""
    facts = [*_facts(shown), *_token_facts(shown.tokens)]
    wide = max(len(name) for name, _ in facts) + 1
    lines = [f"{name + ':':{wide}}  {text}" for name, text in facts]
    if shown.credential.account is not None:
        fields = json_text(integration_fields(shown.credential))
        lines += ["", "In a m3ter Integration Configuration:", fields]
    return "\n".join([*lines, ""])


def shown_json(shown: Shown) -> Json:
    """Return what machines read."""
    unopened, credential = shown.unopened, shown.credential
    is_created = credential.account is not None
    return {
        "credential": row_json(credential, shown.check),
        "sealedPart": {
            "opened": unopened is None,
            "error": None if unopened is None else error_fields(unopened),
        },
        "integrationConfiguration": integration_fields(credential) if is_created else None,
        **({} if shown.tokens is None else {"tokens": _tokens_json(shown.tokens)}),
    }


def _facts(shown: Shown) -> Iterator[tuple[str, str]]:
    credential, check = shown.credential, shown.check
    account = credential.account
    yield "Name", credential.name
    yield "Credential ID", credential.id
    yield "Entity type", credential.entity_type.label
    yield "Destination", credential.destination.label
    yield "Stripe account", account_text(credential)
    if account is not None:
        yield "Account ID", account.id
        yield "Country", account.country or _NOT_TOLD
        yield "Mode", account.mode
    yield "Status", status_text(credential, datetime.now(UTC))
    if check is not None:
        yield "Last check", f"{check.label}, {local(check.at)} {check.told}".rstrip()
    yield "Created", local(credential.created_at)
    yield "Created by", credential.created_by
    opened = "opened, agrees with the fields above"
    yield "Sealed part", opened if shown.unopened is None else f"not opened: {shown.unopened}"


def _token_facts(tokens: TokenResponse | None) -> Iterator[tuple[str, str]]:
    if tokens is not None:
        none = "none; Stripe does not give one any more"
        yield "Access token", _revealed(tokens.access_token) or none
        yield "Refresh token", _revealed(tokens.refresh_token) or none
        yield "Publishable key", tokens.publishable_key or none
        yield "Scope", tokens.scope
        yield "OAuth model", tokens.oauth.value


def _tokens_json(tokens: TokenResponse) -> Json:
    return {
        "accountId": tokens.account_id,
        "livemode": tokens.livemode,
        "scope": tokens.scope,
        "accessToken": _revealed(tokens.access_token),
        "refreshToken": _revealed(tokens.refresh_token),
        "publishableKey": tokens.publishable_key,
        "oauth": tokens.oauth.value,
        "obtainedAt": None if tokens.obtained_at is None else iso(tokens.obtained_at),
    }


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()
