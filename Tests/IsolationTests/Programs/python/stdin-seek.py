# stdin: seekable
import sys; print(sys.stdin.buffer.read(3), sys.stdin.seekable())
