# stdin: Ada
print("Hi " + input("name? "))
