console.log(typeof FinalizationRegistry, typeof WeakRef, typeof SharedArrayBuffer, typeof navigator, typeof WebSocket);
