"""One file for each screen, its .tcss beside it."""
