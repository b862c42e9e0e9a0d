# stdin: by the device
print(open("/dev/stdin").read())
