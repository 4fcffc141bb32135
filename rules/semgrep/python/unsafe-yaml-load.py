import yaml


def read(file):
    # ruleid: python-unsafe-yaml-load
    first = yaml.load(file)
    # ruleid: python-unsafe-yaml-load
    second = yaml.load(file, Loader=yaml.UnsafeLoader)
    # ok: python-unsafe-yaml-load
    third = yaml.load(file, Loader=yaml.CSafeLoader)
    # ok: python-unsafe-yaml-load
    return yaml.safe_load(file), first, second, third
