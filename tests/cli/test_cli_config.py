"""``m3cred config`` as a script uses it: no terminal, pipes, exit status."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from m3cred_tui.store.identity import IdentityFile
from tests.store.light_age import wrapped_lightly

Run = Callable[..., CompletedProcess[str]]

HEAVY = ("textual", "rich", "httpx", "starlette", "uvicorn", "h11", "asyncio")
PROGRAM = """
import json, sys
from m3cred_tui.cli.main import main
try:
    main({arguments!r})
finally:
    sys.stderr.write("\\n" + json.dumps(sorted(sys.modules)))
"""
CLIENT_ID = ("config", "set", "stripe_test.client_id", "ca_abc")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "m3cred" / "config.toml"


@pytest.fixture
def write(file: Path) -> Callable[[str], bytes]:
    def write_file(text: str) -> bytes:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(text)
        return text.encode()

    return write_file


@pytest.fixture
def piped(environment: dict[str, str]) -> Run:
    """Run ``m3cred`` with this on its standard input, and no terminal anywhere."""

    def run(given: str, *arguments: str, **pipes: int) -> CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "m3cred_tui", *arguments],
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            start_new_session=True,
            pass_fds=list(pipes.values()),
            timeout=50,
            check=False,
        )

    return run


def test_without_settings_it_shows_what_there_is_to_set(m3cred: Run, file: Path) -> None:
    ended = m3cred("config")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        f"{file} (not there yet)\n"
        "\n"
        "Stripe: not set up\n"
        "  client_id     not set\n"
        "  secret_key    not set\n"
        "  redirect_uri  not set\n"
        "  ports         27182, 27183, 27184, 27185  default\n"
        "  oauth         connect                     default\n"
        "\n"
        "Stripe (Test Mode): not set up\n"
        "  client_id     not set\n"
        "  secret_key    not set\n"
        "  redirect_uri  http://127.0.0.1:PORT/callback  default\n"
        "  ports         27182, 27183, 27184, 27185      default\n"
        "  oauth         connect                         default\n"
        "\n"
        "Store: This machine\n"
        "  engine  directory  default\n"
    )
    assert not file.exists()


def test_a_destination_is_set_up_in_two_lines_of_a_script(
    m3cred: Run, piped: Run, file: Path, tmp_path: Path
) -> None:
    ended = m3cred(*CLIENT_ID)
    assert (ended.returncode, ended.stdout) == (
        0,
        f"stripe_test.client_id is set in {file}.\n",
    )
    ended = piped("sk_test_canary\n", "config", "set", "stripe_test.secret_key")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        f"The secret key of Stripe (Test Mode) is sealed; {file} says so.\n"
    )
    ended = m3cred("config", "check")
    assert (ended.returncode, ended.stdout) == (0, "Stripe (Test Mode): ok, sk_test_…\n")
    shown = m3cred("config").stdout
    assert "Stripe (Test Mode): set up" in shown
    assert "secret_key    sealed by m3cred" in shown
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert [one for one in files if b"canary" in one.read_bytes()] == []


@pytest.mark.long
def test_a_sealed_key_replaced_by_a_file_or_a_command_is_reported(
    m3cred: Run, piped: Run, file: Path, tmp_path: Path
) -> None:
    key = tmp_path / "k"
    key.touch(mode=0o600)
    sealed = tmp_path / "data" / "m3cred" / "keys" / "STRIPE_TEST.age"
    for name, value in (("secret_key_file", str(key)), ("secret_key_command", "pass show x")):
        piped("sk_test_canary\n", "config", "set", "stripe_test.secret_key")
        assert sealed.exists()
        ended = m3cred("config", "set", f"stripe_test.{name}", value)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout == (
            f"stripe_test.{name} is set in {file}.\n"
            "The secret key that m3cred had sealed is removed.\n"
        )
        assert not sealed.exists()
        again = m3cred("config", "set", f"stripe_test.{name}", value).stdout
        assert again == f"stripe_test.{name} is set in {file}.\n"


def test_a_command_replaced_by_a_sealed_key_or_a_file_is_reported(
    m3cred: Run, piped: Run, write: Callable[[str], bytes], tmp_path: Path
) -> None:
    write('[stripe_test]\nsecret_key_command = "pass show x"\n')
    ended = piped("sk_test_canary\n", "config", "set", "stripe_test.secret_key")
    assert ended.stdout.splitlines()[1:] == [
        "secret_key_command is removed: the sealed key is used."
    ]
    write('[stripe_test]\nsecret_key_command = "pass show x"\n')
    (tmp_path / "data" / "m3cred" / "keys" / "STRIPE_TEST.age").unlink()
    ended = m3cred("config", "set", "stripe_test.secret_key_file", str(tmp_path))
    assert ended.stdout.splitlines()[1:] == [
        "secret_key_command is removed: secret_key_file is used."
    ]


def test_a_key_file_that_is_not_there_yet_is_set_with_a_warning(
    m3cred: Run, file: Path, tmp_path: Path
) -> None:
    ended = m3cred("config", "set", "stripe_test.secret_key_file", "~/k", HOME=str(tmp_path))
    assert (ended.returncode, ended.stdout, ended.stderr) == (
        0,
        f"stripe_test.secret_key_file is set in {file}.\n",
        f"m3cred: {tmp_path}/k is not there yet.\n",
    )
    assert 'secret_key_file = "~/k"' in file.read_text()


def test_each_value_is_shown_with_where_it_is_from_and_no_secret(
    m3cred: Run, write: Callable[[str], bytes]
) -> None:
    write('[stripe]\nsecret_key_command = "pass show stripe/live"\n')
    environ = {"M3CRED_STRIPE_TEST_SECRET_KEY": "sk_test_canary"}
    shown = m3cred("config", **environ).stdout
    assert "secret_key    printed by: pass show stripe/live  file" in shown
    assert "set, sk_test_…" in shown
    assert "M3CRED_STRIPE_TEST_SECRET_KEY" in shown
    assert "canary" not in shown + m3cred("config", "--json", **environ).stdout


def test_scripts_read_the_same(m3cred: Run, file: Path) -> None:
    m3cred(*CLIENT_ID)
    environ = {"M3CRED_STRIPE_SECRET_KEY": "sk_test_canary"}
    ended = m3cred("config", "--json", **environ)
    told = json.loads(ended.stdout)
    assert (told["version"], told["path"], told["exists"]) == (1, str(file), True)
    live, test = told["destinations"]
    assert (live["code"], live["setUp"], live["missing"]) == (
        "STRIPE",
        False,
        ["client_id", "redirect_uri"],
    )
    assert live["error"]["code"] == "WrongModeKey"
    assert live["settings"]["secret_key"]["place"] == "M3CRED_STRIPE_SECRET_KEY"
    assert test["error"]["code"] == "NotSetUp"
    assert test["settings"]["client_id"] == {
        "origin": "file",
        "place": "stripe_test.client_id",
        "value": "ca_abc",
        "error": None,
    }
    assert test["settings"]["ports"]["value"] == [27182, 27183, 27184, 27185]


def test_path_prints_the_settings_file_for_editors(m3cred: Run, file: Path) -> None:
    ended = m3cred("config", "path")
    assert (ended.returncode, ended.stdout) == (0, f"{file}\n")


def test_a_secret_key_on_the_command_line_is_refused_with_the_way_and_not_repeated(
    m3cred: Run, file: Path
) -> None:
    ended = m3cred("config", "set", "stripe_test.secret_key", "sk_test_canary")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "m3cred: a secret key is not taken from the command line, which other users and the "
        "shell's history can see: m3cred config set stripe_test.secret_key asks for it, or "
        "reads it from standard input.\n"
    )
    assert not file.exists()


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (
            ("set", "stripe.clientid", "ca_x"),
            2,
            "There is no setting “stripe.clientid”; did you mean stripe.client_id?",
        ),
        (
            ("unset", "strip.ports"),
            2,
            "There is no setting “strip.ports”; did you mean stripe.ports?",
        ),
        (
            ("set", "stripe.client_id"),
            2,
            "stripe.client_id takes a value: m3cred config set --help",
        ),
        (
            ("set", "stripe.secret_key_command", "pass", "show"),
            2,
            "stripe.secret_key_command takes one value, in quotes: m3cred config set --help",
        ),
        (
            ("set", "stripe.client_id", "sk_live_canary"),
            1,
            "This is a secret key, not a client id: are the two swapped?",
        ),
        (
            ("set", "stripe.redirect_uri", "http://127.0.0.1:27182/callback"),
            1,
            "The redirect URI begins with http://, and in live mode Stripe takes https:// "
            "only.",
        ),
        (
            ("set", "stripe.ports", "80", "81"),
            1,
            "The ports are whole numbers from 1024 to 65535.",
        ),
    ],
    ids=lambda one: " ".join(one[:2]) if isinstance(one, tuple) else "",
)
def test_bad_input_is_one_sentence_and_changes_nothing(
    m3cred: Run,
    write: Callable[[str], bytes],
    file: Path,
    arguments: tuple[str, ...],
    status: int,
    told: str,
) -> None:
    before = write("# mine\n[stripe]\nclient_id = 'ca_a'\n")
    ended = m3cred("config", *arguments)
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "", f"m3cred: {told}\n")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "The secret key is empty."),
        ("\n", "The secret key is empty."),
        (
            "sk_live_canary\n",
            "This is a live key (sk_live_…), and Stripe (Test Mode) takes a test key: sk_test_ "
            "or rk_test_.",
        ),
        ("ca_abc\n", "This is a client id, not a secret key: are the two swapped?"),
        (
            "x" * 2000 + "\n",
            "The secret key cannot be read: it has more than 1,024 bytes.",
        ),
    ],
    ids=lambda one: ascii(one[:12]),
)
def test_a_value_that_is_not_a_key_is_not_sealed(
    piped: Run, tmp_path: Path, given: str, told: str
) -> None:
    ended = piped(given, "config", "set", "stripe_test.secret_key")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"m3cred: {told}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", [(), ("check",), ("set", "stripe.ports", "4001")])
def test_a_file_that_is_not_understood_is_one_sentence_whatever_is_asked(
    m3cred: Run, write: Callable[[str], bytes], file: Path, verb: tuple[str, ...]
) -> None:
    before = write("version = 9\n")
    ended = m3cred("config", *verb)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert "has version 9" in ended.stderr
    assert file.read_bytes() == before


def test_a_failure_has_a_code_for_scripts(m3cred: Run, write: Callable[[str], bytes]) -> None:
    write("= 1")
    ended = m3cred("config", "--json")
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["error"]["code"] == "NotToml"


@pytest.mark.parametrize(
    ("live", "test"),
    [
        (("CLIENT_ID", "sk_live_1", "Swapped"), ("CLIENT_ID", "1", "NotAClientId")),
        (
            ("REDIRECT_URI", "http://a.test", "RedirectNeedsHttps"),
            ("PORTS", "1", "NotPorts"),
        ),
        (("REDIRECT_URI", "ftp://a", "NotARedirectUri"), ("CHANNEL", "1", "NotAChannel")),
        (("SECRET_KEY", "sk_test_1", "WrongModeKey"), ("SECRET_KEY", "pk_1", "PublishableKey")),
        (("SECRET_KEY", "sk_live_…", "MaskedKey"), ("SECRET_KEY", "1", "NotASecretKey")),
        (("OAUTH", "conect", "UnknownName"), ("SECRET_KEY_FILE", "key", "NotAKeyFile")),
    ],
    ids=lambda one: one[2],
)
def test_scripts_read_what_is_wrong_with_a_value(
    m3cred: Run, live: tuple[str, str, str], test: tuple[str, str, str]
) -> None:
    environ = {f"M3CRED_STRIPE_{live[0]}": live[1], f"M3CRED_STRIPE_TEST_{test[0]}": test[1]}
    told = json.loads(m3cred("config", "--json", **environ).stdout)
    found = [
        setting["error"]["code"]
        for destination in told["destinations"]
        for setting in destination["settings"].values()
        if setting["error"]
    ]
    assert found == [live[2], test[2]]


def test_check_runs_the_command_and_says_what_is_wrong(
    m3cred: Run, write: Callable[[str], bytes]
) -> None:
    write(
        "[stripe_test]\nclient_id = 'ca_a'\n"
        "secret_key_command = '''printf '%s_canary\\nlogin: ann\\n' sk_test'''\n"
    )
    ended = m3cred("config", "check")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout == (
        "Stripe (Test Mode): stripe_test.secret_key_command: The command printed 2 lines; it "
        "must be only the key, on one line.\n"
    )
    told = json.loads(m3cred("config", "check", "--json").stdout)
    assert [(one["code"], one["ok"]) for one in told["destinations"]] == [
        ("STRIPE_TEST", False)
    ]
    assert told["destinations"][0]["error"]["code"] == "NotAlone"


def test_check_of_nothing_at_all_says_how_to_begin(m3cred: Run) -> None:
    ended = m3cred("config", "check")
    assert ended.returncode == 1
    assert "m3cred config set stripe_test.client_id ca_…" in ended.stdout


def test_changing_the_file_reports_a_variable_that_takes_precedence(
    m3cred: Run,
) -> None:
    ended = m3cred(*CLIENT_ID, M3CRED_STRIPE_TEST_CLIENT_ID="ca_env")
    assert ended.stdout.splitlines()[1] == (
        "M3CRED_STRIPE_TEST_CLIENT_ID is set in the environment, and takes precedence over it."
    )


def test_unset_says_whether_anything_was_there(m3cred: Run, file: Path) -> None:
    m3cred(*CLIENT_ID)
    words = ("config", "unset", "stripe_test.client_id")
    assert m3cred(*words).stdout == f"stripe_test.client_id is removed from {file}.\n"
    assert m3cred(*words).stdout == (
        f"stripe_test.client_id is not in {file}; nothing was changed.\n"
    )


def test_a_key_is_sealed_for_an_identity_under_a_passphrase(
    piped: Run, file: Path, environment: dict[str, str]
) -> None:
    assert piped("sk_test_canary\n", "config", "set", "stripe_test.secret_key").returncode == 0
    piped("", *CLIENT_ID)
    identity = file.with_name("identity.txt")
    identity.write_bytes(wrapped_lightly(identity.read_bytes(), "horse"))
    assert IdentityFile(identity, file.parent).is_locked()
    ended = piped("", "config", "check")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "There is no terminal to ask for a passphrase on" in ended.stderr
    to_read, to_write = os.pipe()
    os.write(to_write, b"horse\n")
    os.close(to_write)
    ended = piped("", "--passphrase-fd", str(to_read), "config", "check", fd=to_read)
    os.close(to_read)
    assert (ended.returncode, ended.stdout) == (0, "Stripe (Test Mode): ok, sk_test_…\n")


def test_the_demo_has_nothing_to_configure(m3cred: Run) -> None:
    ended = m3cred("--demo", "config")
    assert ended.returncode == 2
    assert ended.stderr == "m3cred: the demo Stripe needs no settings; leave out --demo.\n"


@pytest.mark.parametrize(
    "arguments",
    [["config"], ["config", "check"], list(CLIENT_ID), ["config", "--help"]],
    ids=str,
)
def test_no_configuration_command_imports_the_app_or_a_network(
    python: Run, arguments: list[str]
) -> None:
    ended = python("-c", PROGRAM.format(arguments=arguments))
    imported = json.loads(ended.stderr.splitlines()[-1])
    assert ("m3cred_tui.cli.commands.config" in imported) == ("--help" not in arguments)
    assert [name for name in HEAVY if name in imported] == []


def test_the_start_of_the_app_reads_no_settings(python: Run) -> None:
    ended = python(
        "-c",
        "import json, sys\n"
        "from m3cred_tui.cli.commands.app import normal_settings, services_from\n"
        "with normal_settings() as settings: services_from(settings)\n"
        "print(json.dumps(sorted(sys.modules)))",
    )
    imported = json.loads(ended.stdout)
    late = ("tomllib", "tomlkit", "m3cred_tui.config.setup")
    assert [name for name in late if name in imported] == []
