import threading

lock = threading.Lock()


def add(items, item):
    # ruleid: python-lock-without-finally
    lock.acquire()
    items.append(parse(item))
    lock.release()


class Counter:
    def take(self):
        # ruleid: python-lock-without-finally
        self._lock.acquire()
        value = self.load()
        self.save(value + 1)
        self._lock.release()
        return value


def fine(items, item):
    # ok: python-lock-without-finally
    lock.acquire()
    try:
        items.append(parse(item))
    finally:
        lock.release()
    # ok: python-lock-without-finally
    with lock:
        items.append(item)
