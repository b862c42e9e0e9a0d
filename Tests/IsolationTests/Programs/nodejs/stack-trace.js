function a() { b(); } function b() { console.log(new Error("here").stack); } a();
