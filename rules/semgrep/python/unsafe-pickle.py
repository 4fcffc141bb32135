import json
import pickle


def read(data):
    # ruleid: python-unsafe-pickle
    first = pickle.loads(data)
    # ok: python-unsafe-pickle
    pickle.dumps(first)
    # ok: python-unsafe-pickle
    return json.loads(data)
