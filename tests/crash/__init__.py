"""Processes that are killed for real."""
