import time
from datetime import datetime


def show(moment, text):
    # ruleid: python-date-format
    first = moment.strftime("%Y-%M-%d")
    # ruleid: python-date-format
    second = datetime.strptime(text, "%d.%m.%Y %H:%m")
    # ok: python-date-format
    third = moment.strftime("%Y-%m-%d %H:%M")
    # ok: python-date-format
    fourth = datetime.strptime(text, "%d/%m/%Y")
    # ok: python-date-format
    return first, second, third, fourth, time.strftime("%M:%S")
