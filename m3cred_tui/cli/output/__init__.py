"""What the commands write and ask: streams, JSON, tables, prompts."""
