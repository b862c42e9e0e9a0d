// First file of SoulBoxCommands; the part's author replaces it.
