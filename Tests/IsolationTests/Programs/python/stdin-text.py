# stdin: one two
import sys; print(sys.stdin.readlines())
