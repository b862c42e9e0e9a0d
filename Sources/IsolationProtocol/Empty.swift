// First file of IsolationProtocol; the part's author replaces it.
