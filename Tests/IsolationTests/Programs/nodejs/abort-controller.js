const a = new AbortController(); a.signal.addEventListener("abort", () => console.log("aborted", a.signal.reason.name)); a.abort();
