from Crypto.Cipher import AES, ARC4, DES
from cryptography.hazmat.primitives.ciphers import algorithms


def seal(key, nonce):
    # ruleid: python-broken-cipher
    first = DES.new(key, DES.MODE_CBC, nonce)
    # ruleid: python-broken-cipher
    second = ARC4.new(key)
    # ruleid: python-broken-cipher
    third = algorithms.TripleDES(key)
    # ok: python-broken-cipher
    fourth = AES.new(key, AES.MODE_GCM, nonce=nonce)
    # ok: python-broken-cipher
    fifth = algorithms.ChaCha20(key, nonce)
    return first, second, third, fourth, fifth
