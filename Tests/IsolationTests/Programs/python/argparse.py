# args: --n 3 file
import argparse; p = argparse.ArgumentParser(); p.add_argument("--n", type=int); p.add_argument("f"); print(p.parse_args(), p.prog)
