"""Checks, refreshes and disconnects credentials, and gives programs access with them."""
