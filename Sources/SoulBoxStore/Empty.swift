// First file of SoulBoxStore; the part's author replaces it.
