"""The store of credentials: its port, its engines, and what this machine keeps for itself."""
