"""A team's credentials on OpenBao or Vault, in a secrets engine of KV version 2."""
