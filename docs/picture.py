"""Makes the README's picture: the app itself, at stage 4, on the demo Stripe."""
