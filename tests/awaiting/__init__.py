"""What happens to a call whose caller leaves, step by step of the event loop."""
