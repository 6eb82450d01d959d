"""Checks, refreshes and disconnects credentials, and gives access by them."""
