"""The client against the simulator: what is promised, judged by the truth."""
