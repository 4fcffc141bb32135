import functools
import threading


def start(work, item):
    # ruleid: python-thread-target-called
    first = threading.Thread(target=work(item))
    # ruleid: python-thread-target-called
    second = threading.Timer(3, work.run())
    # ok: python-thread-target-called
    third = threading.Thread(target=work, args=(item,))
    # ok: python-thread-target-called
    fourth = threading.Thread(target=functools.partial(work, item))
    # ok: python-thread-target-called
    fifth = threading.Timer(3, work.run)
    return first, second, third, fourth, fifth
