"""Messages to people about a command: which commands have one, and how it is sent."""
