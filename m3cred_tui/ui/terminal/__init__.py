"""The terminal below Textual: its driver, what it shows already, and what it can do."""
