"""The embedded engine of the store: one sealed file for each credential."""
