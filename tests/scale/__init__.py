"""Many of everything: handles, symbols, readers, results that nobody reads."""
