console.log("never"); function ( {
