# env: PYTHONHASHSEED=42
print(hash("x"))
