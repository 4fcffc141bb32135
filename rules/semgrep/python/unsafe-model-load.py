import numpy as np
import torch


def load(path):
    # ruleid: python-unsafe-model-load
    first = torch.load(path, weights_only=False)
    # ruleid: python-unsafe-model-load
    second = np.load(path, allow_pickle=True)
    # ok: python-unsafe-model-load
    third = torch.load(path, weights_only=True)
    # ok: python-unsafe-model-load
    fourth = np.load(path)
    return first, second, third, fourth
