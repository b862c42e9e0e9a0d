process.stdout.write("x".repeat(50000) + "\n"); process.exit(3);
