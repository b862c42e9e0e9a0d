// PID 1 of a sandbox. It starts programs for the isolator, tells it how they ended, and reaps what is left behind.
Supervisor.start()
