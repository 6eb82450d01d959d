"""What the operating system is asked for: signals, threads, a private process."""
