const t = setInterval(() => { console.log("tick"); if (++n === 3) clearInterval(t); }, 1); let n = 0;
