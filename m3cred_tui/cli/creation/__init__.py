"""Creating a credential on the command line, without the app."""
