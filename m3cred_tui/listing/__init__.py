"""Search, sorting and columns: what the Credentials page and ``m3cred list`` share."""
