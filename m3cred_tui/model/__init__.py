"""What a credential is: values and rules, no I/O and no clock of its own."""
