# args: one two
import sys; sys.argv.pop(); print(len(sys.argv), type(sys.argv) is list)
