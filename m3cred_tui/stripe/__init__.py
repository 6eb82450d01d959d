"""Talking to Stripe: a port, and its one adapter over httpx."""
