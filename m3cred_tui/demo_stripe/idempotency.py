"""Idempotent requests (https://docs.stripe.com/api/idempotent_requests)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from starlette.responses import Response

from m3cred_tui.demo_stripe.replies import ApiError, OAuthError, refusal
from m3cred_tui.model.text import clean

_LONGEST = 255
_LIFETIME = 86_400.0


class Asked(NamedTuple):
    """What a key stands for: another request with it is a mistake."""

    livemode: bool
    path: str
    form: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Answered:
    asked: Asked
    at: float
    reply: Response


class Idempotency:
    """The answers of the last day, each given again to whoever asks with the same key."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._answers: dict[tuple[bool, str], _Answered] = {}

    def once(self, key: str | None, asked: Asked, answer: Callable[[], Response]) -> Response:
        """Return the answer, which is made once for a key; a refusal is kept as well.

        Raises :class:`ApiError` for a key that stands for another request or is too long.
        """
        if key is None:
            return answer()
        if not 0 < len(key) <= _LONGEST:
            raise ApiError(400, f"An idempotency key has 1 to {_LONGEST} characters.")
        self._forget()
        before = self._answers.get((asked.livemode, key))
        if before is None:
            return self._remember(key, asked, answer)
        if before.asked != asked:
            raise ApiError(
                400,
                "Keys for idempotent requests can only be used with the same parameters they "
                f"were first used with. Try using a key other than '{clean(key)}' if you meant "
                "to execute a different request.",
                kind="idempotency_error",
            )
        again = Response(before.reply.body, before.reply.status_code)
        again.raw_headers = [*before.reply.raw_headers, (b"idempotent-replayed", b"true")]
        return again

    def _forget(self) -> None:
        now = self._now()
        self._answers = {
            key: answered
            for key, answered in self._answers.items()
            if now - answered.at < _LIFETIME
        }

    def _remember(self, key: str, asked: Asked, answer: Callable[[], Response]) -> Response:
        try:
            reply = answer()
        except OAuthError as error:
            reply = refusal(error)
        self._answers[asked.livemode, key] = _Answered(asked, self._now(), reply)
        return reply
