"""Live mode as it is at Stripe: a Stripe that demands HTTPS, and a web server of the user's."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from m3cred_tui.model.credential import TokenResponse
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from tests.e2e.conftest import M3CRED, Home
from tests.e2e.https_server import https_server


class Live(NamedTuple):
    """What a user has who is set up for live mode."""

    home: Home
    stripe: dict[str, Any]
    """What the demo Stripe has told of itself."""
    page: str
    """The address of the relay page."""

    @property
    def environ(self) -> dict[str, str]:
        """Where this Stripe is; the settings file cannot say that."""
        bases = ("connect_base", "api_base", "marketplace_base")
        return {f"M3CRED_STRIPE_{base.upper()}": self.stripe[base] for base in bases}

    @property
    def store(self) -> DirectoryStore:
        identity = self.home.path / "config" / "m3cred" / "identity.txt"
        data = self.home.path / "data" / "m3cred"
        return DirectoryStore(data, IdentityFile(identity, data))

    def created(self) -> tuple[dict[str, Any], TokenResponse]:
        """Return the one record that was created, and its secrets."""
        folder = self.home.path / "data" / "m3cred" / "credentials"
        (record,) = (json.loads(file.read_bytes()) for file in folder.iterdir())
        return record, self.store.tokens(record["id"])

    async def configure(self, **settings: str) -> None:
        """Write settings of the live destination, as a user does."""
        for name, value in settings.items():
            await self.run("config", "set", f"stripe.{name}", value)

    async def run(self, *arguments: str, status: int = 0) -> str:
        """Run a command to its end; return what it wrote and said."""
        environ = {**self.home.environ, **self.environ}
        result = await run_m3cred(environ, *arguments, status=status)
        return result.stdout + result.stderr


async def run_m3cred(
    environ: Mapping[str, str], *arguments: str, given: str = "", status: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, which has to be this one."""
    result = await asyncio.to_thread(
        subprocess.run,
        [M3CRED, *arguments],
        env=environ,
        input=given,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == status, result.stderr
    return result


@asynccontextmanager
async def live_mode(home: Home, directory: Path) -> AsyncIterator[Live]:
    """Start both servers, write the relay page, and set all of it up."""
    root = directory / "www"
    (root / "m3cred").mkdir(parents=True)
    with https_server(root, directory) as base:
        page = f"{base}m3cred/"
        with demo_stripe(home, "--require-https", "--redirect-uri", page) as stripe:
            live = Live(home, stripe, page)
            await live.run("relay-page", str(root / "m3cred" / "index.html"))
            key = directory / "key"
            key.touch(mode=0o600)
            key.write_text(stripe["live"]["secret_key"])
            await live.configure(
                client_id=stripe["live"]["client_id"],
                secret_key_file=str(key),
                redirect_uri=page,
            )
            yield live


@contextmanager
def demo_stripe(home: Home, *options: str) -> Iterator[dict[str, Any]]:
    """Run ``m3cred demo-stripe`` in a process of its own; yield what it tells of itself."""
    with subprocess.Popen(
        [M3CRED, "demo-stripe", *options], env=home.environ, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
