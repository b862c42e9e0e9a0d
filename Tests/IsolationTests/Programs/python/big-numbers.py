print(2 ** 2000, sum(i * i for i in range(10000)))
