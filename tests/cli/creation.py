"""``m3cred create`` and ``m3cred resume`` by pipes, beside a demo Stripe."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Any

from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.demo_stripe.server import background_demo_stripe, demo_stripe
from m3cred_tui.model.authorization import redirect_uri
from tests.ports import free_port

Environ = dict[str, str]
PATIENCE = 30
PROGRAM = ("-m", "m3cred_tui")
_EXCHANGE = "POST /oauth/token"
ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


@contextmanager
def ignored(numbers: Iterable[signal.Signals]) -> Iterator[None]:
    """Have what is started in this block ignore these signals, as ``nohup`` does with one."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class Asked:
    """What a demo Stripe was asked."""

    lines: list[str] = field(default_factory=list)
    """The method and path of each request."""
    replies: Callable[[], object] = lambda: None
    """Called when Stripe has exchanged a code, and its reply is about to be sent."""

    @property
    def exchanges(self) -> int:
        return self.lines.count(_EXCHANGE)

    def demo_stripe(self, description: Description) -> Any:
        """Make a demo Stripe that notes what it is asked."""
        app = demo_stripe(description)

        async def noting(scope: Any, receive: Any, send: Any) -> None:
            async def sending(message: Any) -> None:
                if line == _EXCHANGE and message["type"] == "http.response.start":
                    self.replies()
                await send(message)

            line = f"{scope.get('method')} {scope.get('path')}"
            self.lines.append(line)
            await app(scope, receive, sending)

        return noting


@contextmanager
def set_up(
    environment: Environ, make_app: Callable[[Description], Any] = demo_stripe
) -> Iterator[Environ]:
    """Set up test mode at a demo Stripe of this test's own, on a port of its own."""
    port = free_port()
    with background_demo_stripe([redirect_uri(port)], make_app=make_app) as stripe:
        yield {
            **environment,
            "M3CRED_STRIPE_TEST_CLIENT_ID": stripe.test.client_id,
            "M3CRED_STRIPE_TEST_SECRET_KEY": stripe.test.secret_key.reveal(),
            "M3CRED_STRIPE_TEST_PORTS": str(port),
            "M3CRED_STRIPE_TEST_CONNECT_BASE": stripe.connect_base,
            "M3CRED_STRIPE_TEST_API_BASE": stripe.api_base,
            "M3CRED_STRIPE_TEST_MARKETPLACE_BASE": stripe.marketplace_base,
            "LANG": "C.UTF-8",
        }


def shortly_before_midnight() -> tuple[str, timezone]:
    """Return a time zone in which it is five minutes to midnight: for TZ, and as an object."""
    now = datetime.now(UTC)
    since_midnight = timedelta(hours=now.hour, minutes=now.minute)
    ahead = (timedelta(hours=23, minutes=55) - since_midnight) % timedelta(days=1)
    zone = timezone(ahead)
    return f"XXX-{datetime(2000, 1, 1) + ahead:%H:%M}", zone  # noqa: DTZ001 - only its clock


class Command:
    """A command that is under way, without a terminal."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *arguments: str,
        given: IO[bytes] | None = None,
        taken: IO[bytes] | None = None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            env=environment,
            stdin=given or subprocess.PIPE,
            stdout=taken or subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.errors = ""

    def object(self) -> dict[str, Any]:
        """Return the next object that it writes."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        found: dict[str, Any] = json.loads(line)
        assert found.pop("version") == 1
        return found

    def write(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def told(self, words: str) -> str:
        """Read what it says until these words come; return it."""
        assert self.process.stderr is not None
        while words not in self.errors:
            line = self.process.stderr.readline()
            assert line, self.errors
            self.errors += line
        return self.errors

    def end(self) -> tuple[int, str]:
        """Wait until it has ended; return its status, and the rest of what it has written."""
        out, errors = self.process.communicate(timeout=PATIENCE)
        self.errors += errors
        return self.process.returncode, out


@contextmanager
def started(
    environment: Mapping[str, str],
    *arguments: str,
    given: IO[bytes] | None = None,
    taken: IO[bytes] | None = None,
    program: Sequence[str] = PROGRAM,
) -> Iterator[Command]:
    """Start a command, whose standard input and output are pipes of ours unless given."""
    command = Command(environment, *arguments, given=given, taken=taken, program=program)
    try:
        yield command
    finally:
        command.process.kill()
        command.process.communicate()


def ended(
    environment: Mapping[str, str], *arguments: str, given: str = ""
) -> tuple[int, list[dict[str, Any]], str]:
    """Run a command to its end; return its status, its objects, and what it said."""
    result = subprocess.run(
        [sys.executable, "-m", "m3cred_tui", *arguments],
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    lines = result.stdout.splitlines() if "--json" in arguments else []
    return result.returncode, [json.loads(line) for line in lines], result.stderr


def files(environment: Mapping[str, str], folder: str) -> list[Path]:
    return sorted(Path(environment["XDG_DATA_HOME"], "m3cred", folder).glob("*.json"))
