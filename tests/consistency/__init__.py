"""What the exchange shows late, twice, in part or not at all; and the time in which it shows it."""
