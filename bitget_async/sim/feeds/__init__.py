"""The public channels of the simulated exchange: books, tickers, trades, candles. Pure: the timeline drives them."""
