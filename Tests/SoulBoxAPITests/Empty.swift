// First file; the part's author replaces it.
