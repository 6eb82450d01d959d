"""The local data directory: one file for each credential, its secrets sealed."""
