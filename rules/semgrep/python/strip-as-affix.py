def names(path, url, text):
    # ruleid: python-strip-as-affix
    first = path.rstrip(".json")
    # ruleid: python-strip-as-affix
    second = url.lstrip("https://")
    # ruleid: python-strip-as-affix
    third = url.lstrip("www.")
    # ok: python-strip-as-affix
    fourth = path.removesuffix(".json")
    # ok: python-strip-as-affix
    fifth = text.rstrip(" \n")
    # ok: python-strip-as-affix
    sixth = text.lstrip("0123456789")
    # ok: python-strip-as-affix
    seventh = text.rstrip(".,;")
    # ok: python-strip-as-affix
    eighth = text.strip("abc")
    return first, second, third, fourth, fifth, sixth, seventh, eighth
