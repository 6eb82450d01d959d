"""What goes wrong and has to be told."""


class Problem(Exception):  # noqa: N818  our word for it, as the user reads it
    """Something the user must know, as a type with fields.

    ``str(problem)`` is one or two plain sentences: what happened, and what to do where that
    is not the same everywhere. Text from outside in it has been through :func:`clean`, and
    it never holds a secret.
    """
