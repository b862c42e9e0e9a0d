process.stdout.write("x".repeat(500000) + "\n"); process.exitCode = 2;
