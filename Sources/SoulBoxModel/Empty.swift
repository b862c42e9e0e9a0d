// First file of SoulBoxModel; the part's author replaces it.
