"""The embedded store: one sealed file for each credential."""
