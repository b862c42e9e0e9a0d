console.trace("here");
