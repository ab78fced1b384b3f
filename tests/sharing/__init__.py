"""Shared limits on a real server, with real processes."""
