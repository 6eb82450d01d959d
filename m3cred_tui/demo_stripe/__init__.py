"""A Stripe of our own, for trying and testing; it imports nothing of the rest but the model."""
