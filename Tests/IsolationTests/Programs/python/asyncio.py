import asyncio
async def f(n): await asyncio.sleep(0.01 * n); return n
async def main(): print(await asyncio.gather(*(f(i) for i in range(5))))
asyncio.run(main())
