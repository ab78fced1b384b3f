"""Long runs: histories that a seed decides, and a million cancels."""
