"""The WebSocket side of the simulated exchange: /v2/ws/public and /v2/ws/private."""
