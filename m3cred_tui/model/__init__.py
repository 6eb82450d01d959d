"""What a credential is: values and rules, no I/O, no clock."""
