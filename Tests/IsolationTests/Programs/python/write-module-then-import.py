open("fresh.py", "w").write("x = 'fresh'\n")
import fresh; print(fresh.x)
