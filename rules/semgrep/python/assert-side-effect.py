def drain(queue, items, lock, file):
    # ruleid: python-assert-side-effect
    assert queue.get_nowait() is None
    # ruleid: python-assert-side-effect
    assert items.pop() == "end", "unfinished"
    # ruleid: python-assert-side-effect
    assert lock.acquire(timeout=1)
    # ok: python-assert-side-effect
    assert items.get("end") is None
    last = items.pop()
    # ok: python-assert-side-effect
    assert last == "end"
