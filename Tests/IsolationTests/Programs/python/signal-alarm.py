import signal, time
def h(n, f): raise TimeoutError("alarm")
signal.signal(signal.SIGALRM, h); signal.setitimer(signal.ITIMER_REAL, 0.05)
try: time.sleep(5)
except TimeoutError as e: print(e)
