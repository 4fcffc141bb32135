import datetime as dt
from datetime import datetime, timezone

# ruleid: python-naive-utc
first = datetime.utcnow()
# ruleid: python-naive-utc
second = dt.datetime.utcfromtimestamp(0)
# ok: python-naive-utc
third = datetime.now(timezone.utc)
# ok: python-naive-utc
fourth = datetime.fromtimestamp(0, tz=timezone.utc)
