"""The operating system: environment, signals, threads, terminal modes, a private process."""
