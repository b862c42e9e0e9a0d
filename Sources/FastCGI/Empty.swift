// First file of FastCGI; the part's author replaces it.
