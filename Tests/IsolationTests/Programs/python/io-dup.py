import os; d = os.dup(1); os.write(d, b"dup\n"); os.close(1); os.write(d, b"still\n")
