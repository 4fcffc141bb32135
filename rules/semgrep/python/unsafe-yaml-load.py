import yaml


def read(file):
    # ruleid: python-unsafe-yaml-load
    first = yaml.load(file)
    # ruleid: python-unsafe-yaml-load
    second = yaml.load(file, Loader=yaml.UnsafeLoader)
    # ruleid: python-unsafe-yaml-load
    third = yaml.load(file, yaml.Loader)
    # ok: python-unsafe-yaml-load
    fourth = yaml.load(file, Loader=yaml.CSafeLoader)
    # ok: python-unsafe-yaml-load
    return yaml.safe_load(file), first, second, third, fourth
