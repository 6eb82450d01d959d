"""Talking to Stripe: a port, and its two adapters, one for each of Stripe's OAuth models."""
