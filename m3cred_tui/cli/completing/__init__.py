"""What may stand next on a command line, for the shells that ask."""
