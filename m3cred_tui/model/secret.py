"""A value that must not be shown."""

from typing import NoReturn, final


@final
class Secret:
    """Holds a secret text; only :meth:`reveal` returns it.

    It cannot be printed, formatted, compared, hashed, pickled or copied, so that a log line, a
    crash report or a test's diff cannot show it by accident.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Return the secret, only where it must be sent or sealed."""
        return self.__text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, _other: object) -> NoReturn:
        raise TypeError("a Secret is not compared; reveal it and use hmac.compare_digest")

    __hash__ = None  # type: ignore[assignment]  # unhashable, as it cannot be compared

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied")
