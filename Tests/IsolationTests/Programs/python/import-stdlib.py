import json, re, collections, itertools, functools, decimal, datetime, random, math, hashlib, base64, csv, io, sqlite3, zlib, ssl
print(json.dumps({"a": [1, 2]}), hashlib.sha256(b"x").hexdigest(), zlib.crc32(b"x"), decimal.Decimal("0.1") + 1)
