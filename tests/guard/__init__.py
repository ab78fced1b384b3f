"""The dead man's switch: what it decides, what it hears, and what it does to an account."""
