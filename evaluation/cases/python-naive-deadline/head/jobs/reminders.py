from datetime import datetime, timedelta


def soon(deadline: datetime, now: datetime) -> bool:
    return deadline - now < timedelta(days=1)


def due(deadlines: list[datetime]) -> list[datetime]:
    now = datetime.utcnow()
    return [deadline for deadline in deadlines if soon(deadline, now)]
