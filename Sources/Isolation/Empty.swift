// First file of Isolation; the part's author replaces it.
