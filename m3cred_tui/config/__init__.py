"""Settings, and where things lie; read once at the front door and passed in."""
