// First file of SoulBoxScheduler; the part's author replaces it.
