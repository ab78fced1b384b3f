"""The journal: what a crash, a full disk or a damaged file leaves of it."""
