"""The loopback server that Stripe's redirect reaches, and the one validator of a redirect."""
