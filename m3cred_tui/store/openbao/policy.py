"""The policies that m3cred needs on the engine, for the configured mount and path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.store.openbao.shelf import FOLDER

if TYPE_CHECKING:
    from m3cred_tui.store.openbao.connection import Place

READER, ADMIN = "reader", "admin"

_TOLD = {
    READER: "Lists credentials, and reads no token of Stripe.",
    ADMIN: "Creates, uses, renews and deletes credentials.",
}
_LISTS = {
    f"metadata/{FOLDER}/*": ("read", "list"),
    f"detailed-metadata/{FOLDER}/*": ("read", "list"),
}
_SHARED = "checks/*", "names", "disconnecting"


def rules(role: str) -> dict[str, tuple[str, ...]]:
    """Return what a role may do, by the kind and the end of the path."""
    if role == READER:
        return {**_LISTS, **{f"data/{one}": ("read",) for one in _SHARED}}
    change = "create", "read", "update"
    return {
        f"data/{FOLDER}/*": change,
        **_LISTS,
        f"metadata/{FOLDER}/*": (*change, "list", "delete"),
        **{f"data/{one}": change for one in _SHARED},
    }


def full_path(place: Place, rule: str) -> str:
    """Return the path of a rule: ``secret/data/m3cred/credentials/*``."""
    kind, _, rest = rule.partition("/")
    return f"{place.mount}/{kind}/{place.path}/{rest}"


def policy(place: Place, role: str) -> str:
    """Return the policy of a role in the engine's language."""
    allowed = {full_path(place, rule): verbs for rule, verbs in rules(role).items()}
    # The policy "default" has these, which a token can be without.
    allowed |= {
        "auth/token/lookup-self": ("read",),
        "auth/token/revoke-self": ("update",),
        "sys/capabilities-self": ("update",),
    }
    blocks = [f"# m3cred {role}: {_TOLD[role]}\n"]
    for path, verbs in allowed.items():
        listed = ", ".join(f'"{verb}"' for verb in verbs)
        blocks.append(f'path "{path}" {{\n  capabilities = [{listed}]\n}}\n')
    return "\n".join(blocks)
