"""Requests to OpenBao or Vault: sent to an active node, repeated where that is safe.

``X-Vault-Inconsistent: forward-active-node`` with an index keeps standbys that have not reached
it from answering with old data and from reporting conflicts that there are not.
"""

from __future__ import annotations

import base64
import json
import random
import threading
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.text import clean
from m3cred_tui.store.openbao.connection import connections, probe, unreachable
from m3cred_tui.store.openbao.problems import (
    MountMissing,
    MountUnfit,
    StoreElsewhere,
    StoreNonsense,
    StoreNotAllowed,
    StoreNotInitialised,
    StoreNotTrusted,
    StoreQuota,
    StoreSealed,
    StoreTokenMissing,
    StoreTokenRefused,
    StoreUnreachable,
    StoreWithoutLeader,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from m3cred_tui.model.secret import Secret
    from m3cred_tui.store.openbao.connection import Place
    from m3cred_tui.store.problems import StoreUnusable

    Json = dict[str, object]

PATIENCE = 10.0
"""Seconds for a request with its repetitions, and for all that follow one without an answer.

A failover takes up to three.
"""
_CONNECT, _SILENCE = 3.0, 8.0  # seconds
_LEAST = 1.0  # seconds for the last attempt
_FORGOTTEN = 3.0
"""Seconds after which a request is no longer one of the same operation."""
_PAUSE = 0.2  # seconds, before a node is asked again
_LARGEST = 16 * 1024 * 1024
"""Bytes of an answer; a page of a list has 400,000, a record less than 1 MiB."""
_MOST_TOLD = 200
_MOST_DIGITS = 6
_LONGEST_HEADER = 16 * 1024

_OK = 200
_NOT_FOUND, _FORBIDDEN, _QUOTA, _SEALED = 404, 403, 429, 503
_REDIRECTS = frozenset({301, 302, 307, 308})
_STANDBY = frozenset({472, 473})
_NO_LEADER = "local node not active", "no active", "not leader", "leadership", "raft"
_STARTING = "from non-versioned to versioned"
"""What a mount says, with status 400, on the first node and on each new leader."""
_FAR = str(1 << 62)
_PASSING = frozenset({500, 502, 503, 504})
"""Statuses that a failover shows for a moment."""


class Reply(NamedTuple):
    """An answer of the engine, and its ``errors``."""

    status: int
    data: Json
    errors: str
    is_lost: bool = False
    """Whether an earlier attempt may have been carried out, though no answer came."""

    @property
    def is_there(self) -> bool:
        """Whether it was carried out."""
        return 200 <= self.status < 300  # noqa: PLR2004 - as HTTP says


class NoAnswerError(Exception):
    """No usable answer came; ``problem`` says why."""

    def __init__(self, problem: StoreUnusable, *, was_sent: bool) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.was_sent = was_sent
        """Whether the request may have been carried out."""


class Client:
    """Sends requests to one of the addresses of a store, from any thread."""

    def __init__(
        self,
        place: Place,
        token: Callable[[], Secret],
        *,
        patience: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what returns the token, or raises ``StoreTokenMissing``.

        It is called again when the engine refuses a token: the user may have logged in.
        """
        self.place = place
        self._patience = patience
        self._clock = clock
        self._missed: dict[bool, tuple[float, float]] = {}
        """For reads and for changes, the first and the last moment without an answer.

        Without a quorum, an engine answers reads, and changes hang: those answers do not count.
        """
        self._token_from = token
        self._token: Secret | None = None
        self._lock = threading.Lock()
        self._http: httpx.HTTPTransport | None = None
        self._at = 0
        """Which address answered last."""
        self._index = ""
        self._ahead = 0.0
        """Seconds that the engine's clock is ahead of ours."""

    def time(self) -> float:
        """Return the engine's time, which all machines share."""
        return time.time() + self._ahead

    def ask(self, method: str, path: str, body: Json | None = None, query: str = "") -> Reply:
        """Return the answer to a request that may be repeated.

        A refusal by status 400 or 404 is returned; all else raises :class:`StoreUnusable`.
        """
        try:
            return self.answer(method, path, body, query)
        except NoAnswerError as none:
            raise none.problem from None

    def answer(
        self, method: str, path: str, body: Json | None = None, query: str = ""
    ) -> Reply:
        """Do the same, but raise :class:`NoAnswerError` when it may have been carried out."""
        is_read, was_sent, misses = method == "GET", False, 0
        began, until = self._budget()
        has_new_token = False
        while True:
            try:
                reply = self._once(method, path, body, query, until)
                misses = 0
                problem = self._passing(reply)
                if problem is None:
                    self._missed.pop(is_read, None)
                    if reply.status != _FORBIDDEN:
                        self._refuse(reply, path)
                        return reply._replace(is_lost=was_sent)
                    if has_new_token or not self._renew_token():
                        raise self._forbidden(method, path)
                    has_new_token = True
                    continue
                was_sent = was_sent or reply.status in _PASSING
                self._missed[is_read] = began, self._clock()
                pause = _PAUSE
            except NoAnswerError as none:
                problem, was_sent = none.problem, was_sent or none.was_sent
                misses += 1
                self._at += 1
                self._missed[is_read] = began, self._clock()
                # Another server, or one that may not be what it says, stays so.
                if isinstance(problem, StoreNotTrusted | StoreNonsense) or (
                    misses >= len(self.place.addresses) and not was_sent
                ):
                    raise NoAnswerError(problem, was_sent=was_sent) from None
                pause = 0.0 if misses < len(self.place.addresses) else _PAUSE
            if self._clock() + pause >= until:
                raise NoAnswerError(problem, was_sent=was_sent)
            time.sleep(pause * random.uniform(1, 2))  # noqa: S311 - only keeps askers apart

    def _budget(self) -> tuple[float, float]:
        """Return since when there was no answer, and until when attempts are repeated.

        What a user waits for is often several requests: if each of them had its own time, an
        engine that hangs would take many times as long.
        """
        now = self._clock()
        patience = PATIENCE if self._patience is None else self._patience
        began = min(
            (since for since, last in [*self._missed.values()] if now - last <= _FORGOTTEN),
            default=now,
        )
        return began, max(began + patience, now + min(_LEAST, patience))

    def _once(
        self, method: str, path: str, body: Json | None, query: str, until: float
    ) -> Reply:
        """Send it once, to the node that answered last."""
        import httpx  # noqa: PLC0415 - takes 60 ms

        silence = max(_LEAST, min(_SILENCE, until - self._clock()))
        timeout = httpx.Timeout(silence, connect=min(_CONNECT, silence))
        extensions: dict[str, object] = {"timeout": timeout.as_dict()}
        if self.place.server_name:
            extensions["sni_hostname"] = self.place.server_name
        try:
            request = httpx.Request(
                method,
                f"{self._base()}/v1/{path}{query}",
                headers=self._headers(),
                content=None if body is None else json.dumps(body).encode("ascii"),
                extensions=extensions,
            )
            response = self._connected().handle_request(request)
            try:
                content = self._content(response)
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NoAnswerError(unreachable(self.place, error), was_sent=False) from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise NoAnswerError(unreachable(self.place, error), was_sent=True) from None
        if date := response.headers.get("Date"):
            from email.utils import parsedate_to_datetime  # noqa: PLC0415 - as above

            with suppress(TypeError, ValueError, OverflowError, IndexError):
                self._ahead = parsedate_to_datetime(date).timestamp() - time.time()
        index = response.headers.get("X-Vault-Index", "")
        if index and _fits_header(index):
            self._index = _far_ahead(index)
        if response.status_code in _REDIRECTS:
            return self._redirected(response.headers.get("Location", ""))
        if response.status_code == _QUOTA and (after := response.headers.get("Retry-After")):
            return Reply(_QUOTA, {"retry_after": after}, "quota")
        return self._reply(response.status_code, content)

    def _base(self) -> str:
        """Return where the node that answered last is asked."""
        address = self.place.addresses[self._at % len(self.place.addresses)]
        if not address.startswith("unix://"):
            return address.rstrip("/")
        try:
            probe(address)
        except OSError as error:
            raise NoAnswerError(unreachable(self.place, error), was_sent=False) from None
        return "http://localhost"

    def _headers(self) -> dict[str, str]:
        with self._lock:
            if self._token is None:
                self._token = self._token_from()
            token = self._token
        if not _fits_header(token.reveal()):
            told = "what was found cannot be one"
            raise StoreTokenMissing(str(self.place), told, login=self.place.login)
        headers = {
            "X-Vault-Request": "true",  # an agent wants it
            "X-Vault-Inconsistent": "forward-active-node",
            "Accept-Encoding": "identity",  # so that the limit below also limits memory
            "User-Agent": "m3cred",
        }
        if token:  # an agent has its own
            headers["X-Vault-Token"] = token.reveal()
        if self._index:
            headers["X-Vault-Index"] = self._index
        if self.place.namespace:
            headers["X-Vault-Namespace"] = self.place.namespace
        return headers

    def _content(self, response: httpx.Response) -> bytes:
        content = bytearray()
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > _LARGEST:
                told = f"its answer has more than {_LARGEST // 1024 // 1024} MiB"
                raise NoAnswerError(StoreNonsense(str(self.place), told), was_sent=True)
        return bytes(content)

    def _reply(self, status: int, content: bytes) -> Reply:
        if not content.strip():
            return Reply(status, {}, "")
        try:
            decoded = json.loads(content)
        except (ValueError, RecursionError):
            decoded = None
        if not isinstance(decoded, dict):
            if status in _PASSING:  # a proxy's page
                return Reply(status, {}, f"status {status}")
            told = f"its answer (status {status}) is not whole JSON"
            if b"HTTPS server" in content:  # as Go says it
                told = "it speaks TLS; its address may begin with https://"
            raise NoAnswerError(StoreNonsense(str(self.place), told), was_sent=True)
        errors = decoded.get("errors")
        told = " ".join(map(str, errors)) if isinstance(errors, list) else ""
        return Reply(status, decoded, clean(told, most=_MOST_TOLD))

    def _redirected(self, location: str) -> Reply:
        """Go to another node, if it is one of ours: the token goes along."""
        for number, address in enumerate(self.place.addresses):
            if location.startswith(f"{address.rstrip('/')}/"):
                self._at = number
                return Reply(307, {}, "")
        return Reply(307, {"location": clean(location.partition("?")[0], most=200)}, "")

    def _passing(self, reply: Reply) -> StoreUnusable | None:
        """Return what is wrong if the same request may succeed soon."""
        place, told = str(self.place), reply.errors
        if reply.status == 307:  # noqa: PLR2004 - made above
            if location := reply.data.get("location"):
                return StoreElsewhere(place, str(location))
            return StoreWithoutLeader(place, "its nodes redirect to one another")
        if reply.status == _SEALED and "sealed" in told.lower():
            raise NoAnswerError(StoreSealed(place), was_sent=False)
        if reply.status in {501, 503} and "initialized" in told.lower():
            raise NoAnswerError(StoreNotInitialised(place), was_sent=False)
        if reply.status == _QUOTA:
            after = str(reply.data.get("retry_after", ""))
            is_told = after.isdecimal() and len(after) <= _MOST_DIGITS
            return StoreQuota(place, f"for {after} s" if is_told else "at the moment")
        is_leaderless = reply.status in _PASSING and any(one in told for one in _NO_LEADER)
        if reply.status in _STANDBY or is_leaderless:
            return StoreWithoutLeader(place, told or f"status {reply.status}")
        is_starting = _STARTING in told.lower()
        if is_starting or (reply.status in _PASSING and "too large" not in told):
            return StoreUnreachable(place, f"it says “{told or reply.status}”")
        return None

    def _refuse(self, reply: Reply, path: str) -> None:
        """Raise what is wrong with an answer that no repetition would change."""
        place, told = str(self.place), reply.errors.lower()
        if reply.status == _NOT_FOUND and ("no handler" in told or "namespace" in told):
            raise NoAnswerError(MountMissing(place), was_sent=False)
        if reply.is_there or reply.status in {400, _NOT_FOUND, 500}:
            is_v1 = reply.is_there and path.startswith(f"{self.place.mount}/data/")
            if is_v1 and reply.status == 204:  # noqa: PLR2004 - version 2 says which version
                raise NoAnswerError(MountUnfit(place, "KV version 1"), was_sent=True)
            return
        reason = f"it says “{reply.errors or reply.status}”"
        raise NoAnswerError(StoreNonsense(place, reason), was_sent=False)

    def _renew_token(self) -> bool:
        """Get the token again; return whether it is another one now."""
        with self._lock:
            before = self._token
            try:
                self._token = self._token_from()
            except StoreTokenMissing:
                return False
            return before is None or self._token.reveal() != before.reveal()

    def _forbidden(self, method: str, path: str) -> NoAnswerError:
        """Tell a token that is not valid from one that may not do this."""
        place = str(self.place)
        if path == "auth/token/lookup-self":
            refused = StoreTokenRefused(place, login=self.place.login)
            return NoAnswerError(refused, was_sent=False)
        self.answer("GET", "auth/token/lookup-self")  # raises that it is refused
        verb = {"GET": "read", "LIST": "list", "DELETE": "delete"}.get(method, "write")
        told = f"{verb} {_without_ids(path)}"
        return NoAnswerError(StoreNotAllowed(place, told), was_sent=False)

    def _connected(self) -> httpx.HTTPTransport:
        """Return what sends requests; a client of httpx around it would take longer."""
        with self._lock:
            if self._http is None:
                try:
                    self._http = connections(self.place)
                except StoreNotTrusted as problem:
                    raise NoAnswerError(problem, was_sent=False) from None
                # A store is never closed; it ends with whatever uses it.
                weakref.finalize(self, self._http.close)
            return self._http


def _fits_header(text: str) -> bool:
    return text.isascii() and text.isprintable() and len(text) <= _LONGEST_HEADER


def _without_ids(path: str) -> str:
    """Return a path as a policy names it."""
    head, _, last = path.rpartition("/")
    return f"{head}/*" if last.count("-") == 4 else path  # noqa: PLR2004 - a UUID


def _far_ahead(index: str) -> str:
    """Return an index that no standby reaches, so that each of them asks the active node.

    The last one that was seen would do for our own changes, not for those of other machines.
    OpenBao's is JSON in base64; any other is returned as it is.
    """
    with suppress(ValueError, RecursionError):
        fields = json.loads(base64.b64decode(index))
        if isinstance(fields, dict) and "value" in fields:
            return base64.b64encode(json.dumps({**fields, "value": _FAR}).encode()).decode()
    return index


def fields_of(reply: Reply, *names: str) -> Mapping[str, object]:
    """Return an object within the answer's data; empty if there is none."""
    found: object = reply.data.get("data")
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
