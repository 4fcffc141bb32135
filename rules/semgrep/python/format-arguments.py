def show(name, age, city, pair):
    # ruleid: python-format-arguments
    first = "%s is %d in %s" % (name, age)
    # ruleid: python-format-arguments
    second = "%s and %s" % (name,)
    # ruleid: python-format-arguments
    third = "{} and {}".format(name)
    # ok: python-format-arguments
    fourth = "%s is %d" % (name, age)
    # ok: python-format-arguments
    fifth = "%s and %s" % pair
    # ok: python-format-arguments
    sixth = "{} and {}".format(*pair)
    # ok: python-format-arguments
    seventh = "%s is %d in %s" % (name, age, city)
    # ok: python-format-arguments
    eighth = "{} is {}".format(name, age)
    # ok: python-format-arguments
    ninth = "%d%% of %s" % (age, name)
    # ok: python-format-arguments
    tenth = "%s: %d.%d" % (name, *pair)
    return first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth
