// First file of Postgres; the part's author replaces it.
