// First file of SoulBoxService; the part's author replaces it.
