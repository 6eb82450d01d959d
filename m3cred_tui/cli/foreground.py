"""Whether this job has its terminal: in the background, who reads or changes it is stopped."""

import os


def is_in_foreground(terminal: int) -> bool:
    """Tell whether this job may read the terminal and change its modes."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # it is not the controlling terminal: nobody is stopped
        return True
