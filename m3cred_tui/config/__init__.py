"""Settings and file locations: passed in at start, read when they are needed."""
