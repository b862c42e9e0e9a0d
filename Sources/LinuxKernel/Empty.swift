// First file of LinuxKernel; the part's author replaces it.
