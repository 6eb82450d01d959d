"""Brings a URL to a browser, on this computer or another."""
