# env: TZ=America/New_York
import time, datetime; time.tzset(); print(time.tzname, datetime.datetime.fromtimestamp(0))
