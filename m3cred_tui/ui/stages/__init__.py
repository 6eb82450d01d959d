"""The stages of Create Integration Credential."""
