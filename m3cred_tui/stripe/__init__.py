"""The port to Stripe, and its adapters for Stripe's two OAuth models."""
