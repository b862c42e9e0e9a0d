import datetime; print(datetime.date(2024, 2, 29) + datetime.timedelta(365), datetime.datetime.now().astimezone().tzinfo)
