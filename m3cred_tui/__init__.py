"""m3cred: create m3ter Integration Credentials for Stripe in a terminal."""
