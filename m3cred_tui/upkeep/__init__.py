"""Keeps credentials of use: checks them at Stripe, gives access by them, disconnects them."""
