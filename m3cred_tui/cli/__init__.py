"""The command line; it imports Textual only to open the app."""
