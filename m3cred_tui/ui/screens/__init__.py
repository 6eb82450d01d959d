"""The pages and dialogs, each with its styles in the .tcss file of its name."""
