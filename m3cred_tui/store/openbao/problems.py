"""What can go wrong with a team's store, besides what can with any store."""

from m3cred_tui.store.problems import OutcomeUnknown, StoreBusy, StoreUnusable


class StoreNotSetUp(StoreUnusable, code="StoreNotSetUp"):
    """The team's store has no address."""

    text = """The team's store has no address: run m3cred config set store.address https://… or
        set BAO_ADDR; m3cred config set store.engine directory goes back to this machine."""
    path: str = ""
    reason: str = "it has no address"


class StoreUnreachable(StoreUnusable, code="StoreUnreachable"):
    text = "The team's store {path} cannot be reached: {reason}."


class StoreNotTrusted(StoreUnusable, code="StoreNotTrusted"):
    text = "The connection to the team's store {path} is not secure: {reason}."


class StoreSealed(StoreUnusable, code="StoreSealed"):
    text = "The team's store {path} is sealed; whoever runs it must unseal it."
    reason: str = "it is sealed"


class StoreNotInitialised(StoreUnusable, code="StoreNotInitialised"):
    text = "The team's store {path} is not initialised; whoever runs it must do that first."
    reason: str = "it is not initialised"


class StoreWithoutLeader(StoreUnusable, code="StoreWithoutLeader"):
    text = "The team's store {path} has no active node at the moment ({reason}); try again."


class StoreQuota(StoreUnusable, code="StoreQuota"):
    text = "The team's store {path} takes no more requests {reason}; try again."


class StoreElsewhere(StoreUnusable, code="StoreElsewhere"):
    """It redirects to an address that is not in store.address, so nothing was sent there."""

    text = """The team's store {path} redirects to {reason}, which is not one of its addresses;
        add that to store.address if it is a node of the same cluster."""


class MountMissing(StoreUnusable, code="MountMissing"):
    text = """The team's store {path} has no such mount or namespace, or the token's policies
        allow nothing there; check store.mount and store.namespace."""
    reason: str = "its mount or namespace does not exist"


class MountUnfit(StoreUnusable, code="MountUnfit"):
    """The mount is no KV version 2, so machines would overwrite each other's changes."""

    text = "The mount of the team's store {path} is {reason}; m3cred needs KV version 2."


class StoreTokenMissing(StoreUnusable, code="StoreTokenMissing"):
    text = """There is no token for the team's store {path}: {reason}. Set BAO_TOKEN, log in
        with vault login and VAULT_ADDR, or run: {login}"""
    login: str = "bao login"
    """The command as it can be run, with the address that ``bao`` does not know."""


class StoreLoginRefused(StoreUnusable, code="StoreLoginRefused"):
    """The AppRole of a pipeline could not log in."""

    text = """The team's store {path} does not let the AppRole log in: {reason}. Check
        store.role_id, and where its secret id comes from."""


class StoreTokenRefused(StoreUnusable, code="StoreTokenRefused"):
    text = """The team's store {path} refuses the token: it has expired, was revoked or is not
        one of its own. Log in again with vault login and VAULT_ADDR, or run: {login}"""
    reason: str = "the token has expired, was revoked or is not one of its own"
    login: str = "bao login"


class StoreNotAllowed(StoreUnusable, code="StoreNotAllowed"):
    """The token is valid, but its policies do not allow this."""

    text = """The token for the team's store {path} is not allowed to {reason}; m3cred store
        policy prints the policy that allows it."""


class StoreNonsense(StoreUnusable, code="StoreNonsense"):
    """The answer is not one of OpenBao or Vault, or is not whole."""

    text = "What answers for the team's store {path} is not OpenBao or Vault: {reason}."


class StoreContended(StoreBusy, code="StoreContended"):
    text = """Others keep changing {what} in the team's store {path}. Nothing was changed; try
        again."""
    what: str


class Unconfirmed(OutcomeUnknown, code="StoreUnconfirmed"):
    """The engine stopped answering, and may have made the change, or may still make it."""

    change: str = ""
    """The mark of the change."""
