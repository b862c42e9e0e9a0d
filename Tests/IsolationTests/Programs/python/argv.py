# args: a -x --y=z $HOME *
import sys; print(sys.argv, sys.orig_argv)
