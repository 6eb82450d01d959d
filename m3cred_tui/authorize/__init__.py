"""Drives an authorization from its URL to the approved account; knows no UI."""
