import asyncio
async def main(): raise RuntimeError("in a task")
asyncio.run(main())
