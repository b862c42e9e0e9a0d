// First file of SoulBoxImages; the part's author replaces it.
