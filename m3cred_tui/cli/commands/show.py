"""``m3cred show``: credentials, each with its integration fields."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from m3cred_tui.authorize.problems import CodeSent
from m3cred_tui.cli.ending import DONE, failed
from m3cred_tui.cli.output.json import error_fields, iso, json_text, row_json
from m3cred_tui.cli.output.streams import laid, put
from m3cred_tui.cli.selecting import Opened, how_to_renew, intact, opened, selected
from m3cred_tui.config.settings import settings_from
from m3cred_tui.listing.columns import (
    account_text,
    expiry_text,
    is_authenticated,
    local,
    opened_part,
    status_text,
)
from m3cred_tui.listing.history import history_of
from m3cred_tui.model.check import CheckResult
from m3cred_tui.model.credential import (
    M3TER_MUST_KNOW,
    Credential,
    Status,
    TokenResponse,
    integration_fields,
)
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.store.problems import NotThere
from m3cred_tui.upkeep.problems import StillPending

Json = dict[str, object]


_NOT_TOLD = "not told by Stripe"


class Shown(NamedTuple):
    """Everything to be shown of a credential."""

    credential: Credential
    check: CheckResult | None
    unopened: Problem | None
    """Why the sealed part was not opened; ``None`` if it was."""
    is_sealed: bool
    """Whether the tokens are sealed for the identity, as in a directory."""
    tokens: TokenResponse | None
    dashboard: str | None
    """The account's address in Stripe's Dashboard."""


def _look(
    credential: Credential,
    store: CredentialStore,
    dashboard: str | None,
    *,
    with_tokens: bool,
) -> Shown:
    """Read it; raises what ``CredentialStore.tokens`` does if the tokens are wanted."""
    tokens = store.tokens(credential.id) if with_tokens else None
    unopened: Problem | None = None
    try:
        row = store.verified(credential.id)
    except Problem as problem:
        unopened = problem
    else:
        if row is None:
            raise NotThere(credential.id)
        intact(row)
    check = store.checks.read().get(credential.id)
    return Shown(credential, check, unopened, not store.team, tokens, dashboard)


def _text(shown: Shown, *, demo: bool) -> str:
    facts = [*_facts(shown, demo=demo), *_token_facts(shown.tokens)]
    wide = max(len(name) for name, _ in facts) + 1
    lines = [f"{name + ':':{wide}}  {_laid(text, wide + 2)}" for name, text in facts]
    if shown.credential.status is Status.UNKNOWN:
        lines += ["", _laid(str(CodeSent(shown.credential)))]
    if is_authenticated(shown.credential):
        fields = json_text(integration_fields(shown.credential))
        lines += ["", _laid(M3TER_MUST_KNOW), "", "Integration fields:", fields]
    return "\n".join([*lines, ""])


def _laid(text: str, begins: int = 0) -> str:
    """Return a text of which all lines begin at this column, wrapped on a terminal."""
    lines = (laid(one, sys.stdout, hanging=begins, taken=begins) for one in text.splitlines())
    return ("\n" + " " * begins).join(lines)


def _json(shown: Shown) -> str:
    unopened, credential = shown.unopened, shown.credential
    is_created = is_authenticated(credential)
    fields: Json = {
        "version": 1,
        "credential": row_json(credential, shown.check),
        "sealedPart": {
            "opened": unopened is None,
            "error": None if unopened is None else error_fields(unopened),
        },
        "integrationConfiguration": integration_fields(credential) if is_created else None,
        "dashboardUrl": shown.dashboard,
        "history": [
            {"what": what, "at": iso(at), "by": by or None, "note": note or None}
            for what, at, by, note in history_of(credential, shown.check)
        ],
        **({} if shown.tokens is None else {"tokens": _tokens_json(shown.tokens)}),
    }
    return json_text(fields) + "\n"


def _facts(shown: Shown, *, demo: bool) -> Iterator[tuple[str, str]]:
    credential, check, now = shown.credential, shown.check, datetime.now(UTC)
    account = credential.account
    yield "Name", credential.name
    yield "Credential ID", credential.id
    yield "Entity type", credential.entity_type.label
    yield "Destination", credential.destination.label
    yield "Stripe account", account_text(credential)
    if account is not None:
        yield "Account ID", account.id
        yield "Country", account.country or _NOT_TOLD
        yield "Mode", account.mode.upper()
    if shown.dashboard is not None:
        yield "At Stripe", shown.dashboard
    yield "Status", status_text(credential, now, check)
    if check is not None:
        told = check.told_with(how_to_renew(credential, demo=demo))
        yield "Last check", f"{check.label}, {local(check.at)} {told}".rstrip()
    yield "Created", local(credential.created_at)
    yield "Created by", credential.created_by
    if until := expiry_text(credential, now):
        yield "Expires", until
    if history := history_of(credential, check):
        yield "History", "\n".join(one.line for one in history)
    part, opened = opened_part(is_sealed=shown.is_sealed)
    agrees = f"{opened}, agrees with the fields above"
    yield part, agrees if shown.unopened is None else f"not {opened}: {shown.unopened}"


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


class SecretsToNoTerminal(Problem, code="SecretsToNoTerminal"):
    """``--reveal`` was given, and standard output is not a terminal."""

    text = """Standard output is not a terminal, and --reveal shows secrets; use
        --reveal-to-pipe if they are meant to go there."""


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    is_revealed = chosen.reveal or chosen.reveal_to_pipe
    if is_revealed and not (chosen.reveal_to_pipe or sys.stdout.isatty()):
        raise SecretsToNoTerminal  # before the user is asked for a passphrase
    here = opened(demo=chosen.demo)
    several = len(chosen.names) > 1
    status, before = DONE, ""
    for name in chosen.names:
        try:
            text = _shown(chosen, here, name, is_revealed=is_revealed)
        except Problem as problem:
            if not several:
                raise
            status |= failed(problem, as_json=chosen.json)
        else:
            sys.stdout.write(before + text)
            before = "\n" if not (chosen.json or chosen.integration) else ""
    return status


def _shown(chosen: Namespace, here: Opened, name: str, *, is_revealed: bool) -> str:
    row = intact(selected(here.store, name))
    if (row.account is None and is_revealed) or (
        chosen.integration and not is_authenticated(row)
    ):
        raise StillPending(row.id)
    if chosen.integration:
        if sys.stderr.isatty():
            put(M3TER_MUST_KNOW, sys.stderr)
        return json_text(integration_fields(row)) + "\n"
    if is_revealed or chosen.passphrase_fd is not None:
        here.unlock(chosen.passphrase_fd)
    dashboard = None
    if not chosen.demo:
        dashboard = settings_from(os.environ).dashboard_url(row)
    shown = _look(row, here.store, dashboard, with_tokens=is_revealed)
    return _json(shown) if chosen.json else _text(shown, demo=chosen.demo)
