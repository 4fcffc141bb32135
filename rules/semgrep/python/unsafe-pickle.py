import copy
import json
import pickle


def read(data, file):
    # ruleid: python-unsafe-pickle
    first = pickle.loads(data)
    # ruleid: python-unsafe-pickle
    second = pickle.load(file)
    # ok: python-unsafe-pickle
    pickle.dumps(first)
    # ok: python-unsafe-pickle
    third = pickle.loads(pickle.dumps(copy.copy(first)))
    # ok: python-unsafe-pickle
    return json.loads(data), second, third
