console.log("after a mark");
