"""Problems: errors that are declared as a code, a text and fields, and shown to the user."""

from __future__ import annotations

from typing import ClassVar, dataclass_transform

from m3cred_tui.model.text import clean

_LONGEST = 4096  # characters of a field, such as a path


@dataclass_transform(eq_default=False)
class Problem(Exception):  # noqa: N818  our word for it, as the user reads it
    """Something the user must know: what happened, and what to do about it.

    A subclass is declared, and checked by mypy, like a dataclass::

        class NotThere(Problem, code="NotThere"):
            text = "The credential {id} no longer exists."
            id: str

    ``str(problem)`` is ``text`` with the fields and properties that it names. ``code`` is for
    scripts and never changes; a class without one is a base, or wraps another problem. Text
    from outside is cleaned here, when it becomes a field. A problem never holds a secret.
    """

    code: ClassVar[str] = ""
    text: ClassVar[str] = ""
    fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, code: str = "") -> None:
        cls.code = code
        cls.text = " ".join(cls.text.split())  # it may have several lines
        cls.fields = tuple(dict.fromkeys([*cls.fields, *cls.__annotations__]))

    def __init__(self, *values: object, **named: object) -> None:
        given = dict(zip(self.fields[: len(values)], values, strict=True)) | named
        for name, value in given.items():
            # A member of a StrEnum is our own text, and is kept as it is.
            setattr(self, name, clean(value, most=_LONGEST) if type(value) is str else value)
        super().__init__(*(getattr(self, name) for name in self.fields))

    def __str__(self) -> str:
        return self.text.format_map(self)

    def __getitem__(self, name: str) -> object:
        value = getattr(self, name)
        # Paths are values here, too, but pathlib is not for this room.
        return clean(str(value), most=_LONGEST) if hasattr(value, "__fspath__") else value

    @property
    def root(self) -> Problem:
        """The problem that this one wraps to say where it is, or itself."""
        return next((one.root for one in self.args if isinstance(one, Problem)), self)
