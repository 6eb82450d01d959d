"""The environment of the tests, without what the person who runs them has set or keeps.

A proxy, a time zone or a team's store must not decide whether a test passes, and no test may
find, or change, what lies in a person's home.
"""

import os
import re
import time
from tempfile import TemporaryDirectory

AS_STARTED = dict(os.environ)
"""What was there before, as pip may need a proxy or an index of its own."""

KEPT = re.compile(
    r"""PATH | TMPDIR | CI | M3CRED_(?:HOSTILE|SWEEP)
        | PYTHON(?:DONTWRITEBYTECODE|PATH|PYCACHEPREFIX)
        | (?:COVERAGE|HYPOTHESIS|PYTEST|TEXTUAL_SNAPSHOT)_\w+""",
    re.VERBOSE,
)
"""What says how to run the tests."""


def leave() -> TemporaryDirectory[str]:
    """Leave them; return a new home, which is there until it is cleaned up."""
    home = TemporaryDirectory(prefix="m3cred-tests-")
    for name in [*filter(lambda name: not KEPT.fullmatch(name), os.environ)]:
        del os.environ[name]
    os.environ |= {"HOME": home.name, "LANG": "C.UTF-8"}
    time.tzset()
    return home
