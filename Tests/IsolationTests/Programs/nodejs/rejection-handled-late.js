const p = Promise.reject(1); p.catch(() => console.log("in time"));
