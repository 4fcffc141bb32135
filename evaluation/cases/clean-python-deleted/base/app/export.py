import pickle


def export(data: object) -> bytes:
    return pickle.dumps(data)
