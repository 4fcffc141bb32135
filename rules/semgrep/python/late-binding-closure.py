import functools


def buttons(names, handlers, table):
    for name in names:
        # ruleid: python-late-binding-closure
        handlers.append(lambda: print(name))
    for number, name in enumerate(names):
        # ruleid: python-late-binding-closure
        table[name] = lambda x: x * number
    for name in names:
        # ok: python-late-binding-closure
        handlers.append(lambda name=name: print(name))
        # ok: python-late-binding-closure
        handlers.append(functools.partial(print, name))
        # ok: python-late-binding-closure
        table[name] = lambda: print("fixed")
        # ok: python-late-binding-closure
        table[name] = lambda x: sorted(x)
