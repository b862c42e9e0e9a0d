# env: TZ=Asia/Tokyo
import time; print(time.localtime(0).tm_hour)
