// First file of LinuxSecurity; the part's author replaces it.
