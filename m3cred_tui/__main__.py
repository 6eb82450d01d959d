"""``python -m m3cred_tui``: the same as the command ``m3cred``."""

import sys

from m3cred_tui.cli.main import main

sys.exit(main())
