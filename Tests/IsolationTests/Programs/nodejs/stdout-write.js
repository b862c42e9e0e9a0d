console.log(process.stdout.write("no newline"), process.stdout.write("", () => process.stdout.write("\nafter\n")));
