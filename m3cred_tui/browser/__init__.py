"""Brings a URL to a browser, on this computer or on another one."""
