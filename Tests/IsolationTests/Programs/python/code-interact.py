# stdin: 1+1
import code; code.interact(banner="in", exitmsg="out")
