"""One file for each stage of Create Integration Credential."""
