"""The loopback server for Stripe's redirect, and the only validator of a redirect."""
