"""The line that the list of credentials is filtered with."""

from textual.geometry import Size
from textual.reactive import reactive

from m3cred_tui.ui.widgets import controls


class Line(controls.Line):
    """A line of input that answers a key with one update of the screen."""

    # As Textual's, but without a new layout of the page for each letter: what follows from
    # one is painted a frame later.
    virtual_size: reactive[Size] = reactive(Size(0, 0))
