console.log("ünï \u{1F600} 日本", "\ud800".length);
