// The module that the loader warms up with (prestart.js).
