import requests


def load(url, options):
    # ruleid: python-request-without-timeout
    first = requests.get(url)
    # ruleid: python-request-without-timeout
    second = requests.post(url, json={"a": 1})
    # ok: python-request-without-timeout
    third = requests.get(url, timeout=3)
    # ok: python-request-without-timeout
    fourth = requests.get(url, **options)
    # ok: python-request-without-timeout
    fifth = requests.Session()
    return first, second, third, fourth, fifth
