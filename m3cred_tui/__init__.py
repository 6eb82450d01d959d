"""m3cred: create m3ter Integration Credentials for Stripe in a terminal."""

VERSION = "0.1.0"
"""Here, as to look it up in the installed package's metadata takes longer than to start."""
