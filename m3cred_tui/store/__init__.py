"""The store of credentials: its port, its engines, and private files on this machine."""
