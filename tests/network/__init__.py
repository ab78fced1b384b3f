"""Faults on real sockets and TLS: what the client makes of them, judged by the simulator's truth."""
