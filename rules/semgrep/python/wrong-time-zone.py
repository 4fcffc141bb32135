from datetime import datetime, timezone

import pytz

# ruleid: python-wrong-time-zone
first = datetime.now().replace(tzinfo=timezone.utc)
# ruleid: python-wrong-time-zone
second = datetime.utcnow().timestamp()
# ruleid: python-wrong-time-zone
third = datetime(2024, 3, 1, tzinfo=pytz.timezone("Europe/Berlin"))
# ok: python-wrong-time-zone
fourth = datetime.now(timezone.utc)
# ok: python-wrong-time-zone
fifth = datetime.now().replace(hour=0)
# ok: python-wrong-time-zone
sixth = pytz.timezone("Europe/Berlin").localize(datetime(2024, 3, 1))
