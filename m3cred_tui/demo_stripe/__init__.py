"""A built-in Stripe, for demos and tests; of our rooms it imports only the model."""
