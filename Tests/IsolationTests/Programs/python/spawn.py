import os; print(os.spawnlp(os.P_WAIT, "true", "true"), os.spawnlp(os.P_WAIT, "false", "false"))
