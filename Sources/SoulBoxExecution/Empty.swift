// First file of SoulBoxExecution; the part's author replaces it.
