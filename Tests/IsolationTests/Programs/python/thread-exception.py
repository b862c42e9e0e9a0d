import threading
t = threading.Thread(target=lambda: 1 / 0, name="bad"); t.start(); t.join(); print("went on")
