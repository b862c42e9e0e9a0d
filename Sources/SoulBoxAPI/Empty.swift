// First file of SoulBoxAPI; the part's author replaces it.
