import os; os.execvp("sh", ["sh", "-c", "echo $0 replaced; exit 5"])
