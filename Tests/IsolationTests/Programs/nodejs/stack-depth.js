let d = 0; function f() { d++; f(); } try { f(); } catch { console.log(d > 5000); }
