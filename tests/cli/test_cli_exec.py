"""``m3cred exec``: the command gets the key, and is otherwise as if m3cred had never been."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import OAuthModel
from tests.cli.connected import Connected, connected_to_demo_stripe
from tests.cli.creation import ENDING, ignored
from tests.cli.kept import keep, keep_pending, store_of
from tests.e2e.conftest import program
from tests.e2e.terminal import CTRL_C, terminal
from tests.store.light_age import wrapped_lightly

Run = Callable[..., CompletedProcess[str]]

PASSPHRASE = "horse"
# A program of the user's, by Stripe's official package: it reads and it writes.
CLIENT = """
import os, stripe
base = {"api": os.environ["API_BASE"]}
client = stripe.StripeClient(
    os.environ["STRIPE_API_KEY"],
    stripe_account=os.environ.get(os.environ["ACCOUNT_FROM"]),
    base_addresses=base,
    max_network_retries=0,
)
print(client.v1.accounts.retrieve_current().id)
try:
    client.v1.customers.create({"name": "X"})
except stripe.APIError as error:  # the demo Stripe has no customers
    assert error.http_status == 404, error
"""


@pytest.fixture
def m3cred(m3cred_anew: Run) -> Run:
    """Start each anew, as what m3cred inherits is what its command should."""
    return m3cred_anew


@pytest.fixture
def connected(tmp_path: Path) -> Iterator[Connected]:
    with connected_to_demo_stripe(tmp_path) as world:
        world.connect("Acme")
        yield world


@pytest.fixture
def execute(connected: Connected, m3cred: Run) -> Run:
    """Run a command by ``m3cred exec Acme --``."""

    def run(*command: str, more: Mapping[str, str] | None = None) -> CompletedProcess[str]:
        return m3cred("exec", "Acme", "--", *command, **connected.environ, **(more or {}))

    return run


def account_of(connected: Connected, at: int = 0) -> str:
    account = connected.connected[at].account
    assert account is not None
    return account.id


def own_key(connected: Connected, at: int = 0) -> str:
    key = store_of(connected.home).tokens(connected.connected[at].id).access_token
    assert key
    return key.reveal()


def test_the_environment_has_two_more_and_none_of_m3creds(
    execute: Run, connected: Connected, environment: dict[str, str]
) -> None:
    ended = execute(sys.executable, "-c", "import os; print(dict(os.environ))")
    assert (ended.returncode, ended.stderr) == (0, "")
    theirs = eval(ended.stdout)
    theirs.pop("LC_CTYPE", None)  # Python's own
    assert theirs == {
        **environment,
        "STRIPE_API_KEY": own_key(connected),
        "STRIPE_ACCOUNT": account_of(connected),
    }


@pytest.mark.long
def test_the_command_has_the_umask_that_m3cred_itself_does_without(execute: Run) -> None:
    before = os.umask(0o777)
    try:
        assert execute("/bin/sh", "-c", "umask").stdout == "0777\n"
    finally:
        os.umask(before)


def test_the_key_is_in_no_argument(execute: Run) -> None:
    ended = execute("/bin/sh", "-c", "cat /proc/self/cmdline /proc/$PPID/cmdline")
    assert "sk_test_" not in ended.stdout


def test_a_credential_that_was_found_revoked_is_said_to_be_and_used_all_the_same(
    execute: Run, connected: Connected
) -> None:
    at = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
    found = CheckResult(Outcome.REVOKED, at, "Access was revoked at Stripe.")
    store_of(connected.home).checks.keep({connected.connected[0].id: found})
    ended = execute("/bin/echo", "run")
    assert (ended.returncode, ended.stdout) == (0, "run\n")
    assert ended.stderr == (
        "m3cred: The check of 2026-11-28 09:30 UTC found “Acme” revoked. Access was revoked at "
        "Stripe. Run: m3cred reauthorize Acme\n"
    )


def acted_with(connected: Connected, key: str, *account_ids: str | None) -> bool:
    """Return whether every request had this key, and named one of these accounts."""
    requests = [asked for asked in connected.asked if asked.path.startswith("/v1/")]
    return bool(requests) and all(
        asked.key == key and asked.account_id in account_ids for asked in requests
    )


@pytest.mark.parametrize("account_from", ["NOTHING", "STRIPE_ACCOUNT"])
@pytest.mark.parametrize("oauth", OAuthModel)
@pytest.mark.quick(1)
def test_stripes_own_package_acts_on_the_account_whether_it_names_it_or_not(
    connected: Connected, m3cred: Run, oauth: OAuthModel, account_from: str
) -> None:
    connected.connect("Own", oauth)
    base = connected.environ["M3CRED_STRIPE_TEST_API_BASE"]
    more = {"API_BASE": base, "ACCOUNT_FROM": account_from}
    command = ("exec", "Own", "--", sys.executable, "-c", CLIENT)
    ended = m3cred(*command, **connected.environ, **more)
    account_id = account_of(connected, 1)
    assert (ended.returncode, ended.stdout) == (0, f"{account_id}\n"), ended.stderr
    assert acted_with(connected, own_key(connected, 1), None, account_id)


def stripe_cli(connected: Connected, *words: str) -> tuple[str, ...]:
    stripe = program("stripe")  # npm install --global @stripe/cli
    return (stripe, *words, "--api-base", connected.environ["M3CRED_STRIPE_TEST_API_BASE"])


@pytest.mark.parametrize("oauth", OAuthModel)
@pytest.mark.quick(1)
def test_stripes_command_line_acts_on_the_account_without_knowing_of_it(
    connected: Connected, m3cred: Run, oauth: OAuthModel
) -> None:
    connected.connect("Own", oauth)
    for words in (("get", "/v1/account"), ("post", "/v1/customers", "-d", "name=X")):
        ended = m3cred("exec", "Own", "--", *stripe_cli(connected, *words), **connected.environ)
        assert f'"id": "{account_of(connected, 1)}"' in ended.stdout or words[0] == "post"
    assert len(connected.asked) == 2
    assert acted_with(connected, own_key(connected, 1), None)


def test_stripes_command_line_is_told_the_account_where_it_has_the_platforms_key(
    connected: Connected, m3cred: Run
) -> None:
    words = ("get", "/v1/account", "--stripe-account", "{account}")
    command = stripe_cli(connected, *words)
    ended = m3cred("exec", "--platform-key", "Acme", "--", *command, **connected.environ)
    assert f'"id": "{account_of(connected)}"' in ended.stdout
    platform_key = connected.environ["M3CRED_STRIPE_TEST_SECRET_KEY"]
    assert acted_with(connected, platform_key, account_of(connected))


def test_the_platforms_key_comes_with_a_warning_that_names_platform_and_account(
    connected: Connected, m3cred: Run
) -> None:
    show = "echo $STRIPE_API_KEY $STRIPE_ACCOUNT $0"
    command = ("/bin/sh", "-c", show, "for-{account}")
    ended = m3cred("exec", "--platform-key", "Acme", "--", *command, **connected.environ)
    account_id = account_of(connected)
    key = connected.environ["M3CRED_STRIPE_TEST_SECRET_KEY"]
    assert (ended.returncode, ended.stdout) == (0, f"{key} {account_id} for-{account_id}\n")
    assert ended.stderr == (
        "m3cred: STRIPE_API_KEY is the secret key of the platform "
        f"{connected.environ['M3CRED_STRIPE_TEST_CLIENT_ID']}. It acts on the platform's own "
        f"account in every request that does not name {account_id} as its Stripe-Account.\n"
    )


def test_without_a_key_of_the_accounts_own_the_command_is_not_run(
    connected: Connected, m3cred: Run
) -> None:
    kept = connected.connected[0]
    store_of(connected.home).update(
        kept.id, lambda credential, tokens: (credential, tokens._replace(access_token=None))
    )
    ended = m3cred("exec", "Acme", "--", "/bin/echo", "run", **connected.environ)
    assert (ended.returncode, ended.stdout) == (1, "")
    for told in ("no key of its own", account_of(connected), "--platform-key", "{account}"):
        assert told in ended.stderr


@pytest.mark.parametrize("status", [0, 1, 3, 255])
def test_the_exit_status_is_the_commands(execute: Run, status: int) -> None:
    assert execute("/bin/sh", "-c", f"exit {status}").returncode == status


def test_a_signal_ends_it_as_it_ends_the_command(execute: Run) -> None:
    assert execute("/bin/sh", "-c", "kill -TERM $$").returncode == -signal.SIGTERM


def test_it_is_the_same_process(connected: Connected, environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "m3cred_tui", "exec", "Acme", "sh", "-c", "echo $$"],
        env={**environment, **connected.environ},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.communicate(timeout=30)[0] == f"{process.pid}\n"


async def test_the_terminal_is_the_commands(
    connected: Connected, environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "m3cred_tui", "exec", "Acme", "--"]
    script = "trap 'echo caught; exit 7' INT; test -t 0 && test -t 1 && echo here; read line"
    environ = {**environment, **connected.environ}
    async with terminal([*command, "/bin/sh", "-c", script], environ) as shown:
        await shown.shows("here")
        shown.press(CTRL_C)
        await shown.shows("caught")
        assert await shown.ends() == 7


@pytest.mark.parametrize("numbers", [(), (*ENDING, signal.SIGTSTP)], ids=["none", "ignored"])
def test_signals_limits_and_files_are_as_they_were(
    execute: Run, environment: dict[str, str], numbers: Sequence[signal.Signals]
) -> None:
    look = (
        "ulimit -c; grep -E 'Sig(Ign|Blk|Cgt)' /proc/self/status; ls -l /proc/self/fd | "
        "grep -o '[0-9]* -> .*' | grep -v -e /proc -e pipe"
    )
    with ignored(numbers):
        ended = execute("/bin/sh", "-c", look)
        plain = subprocess.run(
            ["/bin/sh", "-c", look],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    assert settable(ended.stdout) == settable(plain.stdout)


def settable(told: str) -> str:
    """Leave out the signals that the C library keeps to itself.

    No program can set or restore these. glibc's posix_spawn(3) starts a program with them
    ignored, and ``subprocess`` uses it from Python 3.13 on; the program's first thread then has
    glibc handle one of them, which the next program finds at its default.
    """
    mask = sum(1 << (number - 1) for number in signal.valid_signals())
    return re.sub(r"(?<=Sig...:\t)\w+", lambda signals: f"{int(signals[0], 16) & mask:x}", told)


@pytest.mark.parametrize(
    ("command", "status", "told"),
    [
        (("no-such-command",), 127, "the command “no-such-command” was not found."),
        (("/no/such/command",), 127, "the command “/no/such/command” was not found."),
        (
            ("/etc/passwd",),
            126,
            "the command “/etc/passwd” cannot be run: permission is denied.",
        ),
        (("/",), 126, "the command “/” cannot be run: permission is denied."),
        (("\x1b[2J",), 127, "the command “\ufffd[2J” was not found."),
    ],
    ids=ascii,
)
@pytest.mark.quick(2)
def test_a_command_that_cannot_be_run_is_reported_as_a_shell_does(
    execute: Run, command: tuple[str, ...], status: int, told: str
) -> None:
    ended = execute(*command)
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "", f"m3cred: {told}\n")


def test_a_script_without_its_interpreter_is_not_called_missing(
    execute: Run, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o700)
    ended = execute(str(script))
    assert ended.returncode == 126
    assert "the program that is to interpret it is not there" in ended.stderr


def test_a_command_that_links_to_itself_is_reported(execute: Run, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(link)
    ended = execute(str(link))
    assert ended.returncode == 126
    assert ended.stderr.endswith(" cannot be run: it links to itself.\n")


@pytest.mark.parametrize(
    "arguments", [(), ("Acme",), ("Acme", "--"), ("Acme", "--json", "env")], ids=str
)
def test_without_a_command_it_is_wrong_usage(m3cred: Run, arguments: tuple[str, ...]) -> None:
    ended = m3cred("exec", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")


def test_options_of_the_command_are_its_own(execute: Run) -> None:
    ended = execute("/bin/echo", "--json", "--demo", "--", "list")
    assert ended.stdout == "--json --demo -- list\n"


def test_without_a_key_the_command_is_not_run(m3cred: Run, tmp_path: Path) -> None:
    keep(tmp_path, ["Acme"])
    ended = m3cred("exec", "--platform-key", "Acme", "--", "/bin/echo", "run")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Stripe (Test Mode) is not set up" in ended.stderr
    keep_pending(tmp_path, "Waits", since=timedelta(minutes=1))
    for name, told in {
        "Waits": "is pending: create it before you use it; m3cred resume continues that.",
        "Acne": "did you mean “Acme”?",
    }.items():
        ended = m3cred("exec", name, "--", "/bin/echo", "run")
        assert (ended.returncode, ended.stdout) == (1, "")
        assert told in ended.stderr


def test_the_demo_stripe_would_be_gone_and_the_one_that_stays_is_named(
    m3cred: Run, tmp_path: Path
) -> None:
    keep(tmp_path, ["Acme"], demo=True)
    ended = m3cred("--demo", "exec", "Acme", "--", "/bin/echo", "run")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "m3cred: the demo Stripe is a part of this m3cred, which the command would replace; "
        "run m3cred demo-stripe --env, paste its lines here, and create one without --demo.\n"
    )


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "in clear"])
@pytest.mark.parametrize("descriptor", [0, 7])
def test_the_passphrases_descriptor_is_not_handed_on(
    connected: Connected,
    environment: dict[str, str],
    tmp_path: Path,
    locked: bool,
    descriptor: int,
) -> None:
    identity = tmp_path / "config" / "m3cred" / "identity.txt"
    if locked:
        identity.write_bytes(wrapped_lightly(identity.read_bytes(), PASSPHRASE))
    line = tmp_path / "line"
    line.write_text(f"{PASSPHRASE}\nand more\n")
    script = (
        f'exec "{sys.executable}" -m m3cred_tui --passphrase-fd {descriptor} exec Acme -- '
        f"/bin/sh -c 'readlink /proc/self/fd/{descriptor}; cat' {descriptor}<{line}"
    )
    ended = subprocess.run(
        ["/bin/sh", "-c", script],
        env={**environment, **connected.environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == ("/dev/null\n" if descriptor == 0 else "")
