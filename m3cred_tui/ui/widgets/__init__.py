"""What screens and stages are made of."""
