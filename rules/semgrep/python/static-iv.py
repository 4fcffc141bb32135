import os

from Crypto.Cipher import AES
from cryptography.hazmat.primitives.ciphers import modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def seal(key, data):
    # ruleid: python-static-iv
    first = AES.new(key, AES.MODE_CBC, b"0123456789abcdef")
    # ruleid: python-static-iv
    second = modes.CBC(b"\x00" * 16)
    # ruleid: python-static-iv
    third = AESGCM(key).encrypt(b"unique nonce", data, None)
    # ok: python-static-iv
    fourth = AES.new(key, AES.MODE_CBC, os.urandom(16))
    # ok: python-static-iv
    fifth = AESGCM(key).encrypt(os.urandom(12), data, b"header")
    # ok: python-static-iv
    sixth = modes.CBC(derive("iv", 16))
    return first, second, third, fourth, fifth, sixth
