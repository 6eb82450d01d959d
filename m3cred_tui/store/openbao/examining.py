"""What doctor says of a team's store: each step from the address to what the token may do."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean, clean_path
from m3cred_tui.store.openbao.access import exposed_token_file, origin_of_token
from m3cred_tui.store.openbao.client import fields_of
from m3cred_tui.store.openbao.policy import ADMIN, full_path, rules
from m3cred_tui.store.openbao.problems import StoreNotInitialised, StoreSealed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from m3cred_tui.store.openbao.access import Access, Value
    from m3cred_tui.store.openbao.kv import KeyValue

_HEALTH = "?standbyok=true&perfstandbyok=true&sealedcode=200&uninitcode=200"
_SOON = 3600
"""Seconds; a token that ends sooner may not last for an authorization."""

_DOES = {
    "data/credentials/*": "create, use and change credentials",
    "metadata/credentials/*": "list and delete credentials",
    "data/checks/*": "store the results of checks",
    "data/names": "claim names",
    "data/disconnecting": "disconnect accounts",
}


class Verdict(StrEnum):
    """Whether something works."""

    WELL = "well"
    NOTE = "note"
    WRONG = "wrong"


WELL, NOTE, WRONG = Verdict


class Found(NamedTuple):
    """A finding in one sentence."""

    verdict: Verdict
    told: str


def examined(
    reached: Access, kv: KeyValue, environ: Mapping[str, str], now: datetime
) -> Iterator[Found]:
    """Yield what is found, step by step; ends with the first that does not work."""
    place, address = reached.place, reached.origins["address"]
    if reached.warning:
        yield Found(WRONG, reached.warning)
    try:
        health = kv.client.ask("GET", "sys/health", query=_HEALTH).data
        if health.get("initialized") is False:
            raise StoreNotInitialised(str(place))
        if health.get("sealed") is True:
            raise StoreSealed(str(place))
        version = clean(str(health.get("version", "")), most=40)
        told = f"{clean(' '.join(place.addresses), most=200)} ({address.origin}) answers"
        yield Found(WELL, f"{told}: version {version}, initialised and unsealed.")
        if place.has_tls and not place.is_unverified:
            yield _certificate(reached)
        kv.check_mount()
        yield Found(
            WELL, f"{place.mount} is a mount of KV version 2; the path is {place.path}."
        )
        yield _token(reached, kv, environ, now)
        if "role_id" not in reached.origins and (path := exposed_token_file(environ)):
            quoted = shlex.quote(clean_path(path))
            told = f"Other users have access to the token; run: chmod 600 {quoted}"
            yield Found(WRONG, told)
        yield from _allowed(kv)
    except Problem as problem:
        yield Found(WRONG, str(problem))


def _certificate(reached: Access) -> Found:
    ca, own = reached.origins["ca_file"], reached.origins["client_cert"]
    ca = ca if ca.text else reached.origins["ca_path"]
    by = f"by {_told(ca)}" if ca.text else "by this machine"
    ours = f"; it is shown {_told(own)}" if own.text else ""
    return Found(WELL, f"Its certificate is trusted {by}{ours}.")


def _told(value: Value) -> str:
    return f"{clean(value.text, most=200)} ({value.origin})"


def _token(reached: Access, kv: KeyValue, environ: Mapping[str, str], now: datetime) -> Found:
    token = fields_of(kv.client.ask("GET", "auth/token/lookup-self"))
    name = clean(str(token.get("display_name") or ""), most=60)
    origin = reached.origins["role_id"].origin if "role_id" in reached.origins else ""
    if not origin and reached.is_agent and not reached.token():
        origin = "the agent's"
    origin = origin or origin_of_token(environ, reached.place)
    told = f"The token ({origin}{name and f', which the store calls “{name}”'}) is valid"
    expires = token.get("expire_time")
    if not isinstance(expires, str):
        return Found(NOTE, f"{told} forever; a person's token should expire.")
    try:
        until = datetime.fromisoformat(expires[:19]).replace(tzinfo=UTC)
    except ValueError:
        return Found(WELL, f"{told}.")
    is_soon = (until - now).total_seconds() < _SOON
    return Found(NOTE if is_soon else WELL, f"{told} until {until:%Y-%m-%d %H:%M} UTC.")


def _allowed(kv: KeyValue) -> Iterator[Found]:
    paths = {rule: full_path(kv.place, rule).replace("*", "any") for rule in _DOES}
    allowed = kv.allowed([*paths.values()])
    may: list[str] = []
    may_not: list[str] = []
    for rule, does in _DOES.items():
        verbs = allowed[paths[rule]]
        is_allowed = "root" in verbs or verbs.issuperset(rules(ADMIN)[rule])
        (may if is_allowed else may_not).append(does)
    if may:
        yield Found(WELL, f"Its policies allow to {', '.join(may)}.")
    if may_not:
        told = f"Its policies do not allow to {', '.join(may_not)}"
        yield Found(NOTE, f"{told}: see m3cred store policy admin.")
