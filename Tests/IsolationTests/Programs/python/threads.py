import threading
out = []
ts = [threading.Thread(target=lambda i=i: out.append(i)) for i in range(20)]
[t.start() for t in ts]; [t.join() for t in ts]; print(sorted(out), threading.current_thread().name, threading.main_thread().ident == threading.get_ident())
