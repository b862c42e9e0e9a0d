#!/bin/sh
# Runs in the new root, as root, after the packages are installed.
set -eu

# Debian compiles modules when it configures their packages; whatever it left out is compiled now, because a program
# runs as another user and could not keep the result. Not every file in the libraries is meant for this Python.
python3 -m compileall -q -j 0 /usr/lib/python3 /usr/lib/python3.11 || true

# Programs install for themselves alone, on disks of their own: what the image has stays as Debian packaged it, and pip need
# not be told so each time (PEP 668).
rm -f /usr/lib/python3*/EXTERNALLY-MANAGED

# What every start of Python would pay for and no program needs: mpl_toolkits is a namespace package without it too
# (PEP 420), and the other asks for Ubuntu's crash reporter.
rm -f /usr/lib/python3/dist-packages/matplotlib-*-nspkg.pth /usr/lib/python3*/sitecustomize.py /etc/python3*/sitecustomize.py

# The image is refused when a library of it cannot be imported.
python3 -c 'import pip, numpy, pandas, requests, matplotlib.pyplot, mpl_toolkits.mplot3d; assert numpy.eye(3).dot(numpy.eye(3)).sum() == 3'

rm -rf /usr/lib/python3/dist-packages/numpy/*/tests /usr/lib/python3/dist-packages/pandas/tests
