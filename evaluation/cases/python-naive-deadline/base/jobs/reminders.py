from datetime import datetime, timedelta


def soon(deadline: datetime, now: datetime) -> bool:
    return deadline - now < timedelta(days=1)
