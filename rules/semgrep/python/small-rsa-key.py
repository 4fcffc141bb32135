from Crypto.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric import rsa

# ruleid: python-small-rsa-key
first = RSA.generate(1024)
# ruleid: python-small-rsa-key
second = rsa.generate_private_key(public_exponent=65537, key_size=512)
# ok: python-small-rsa-key
third = RSA.generate(3072)
# ok: python-small-rsa-key
fourth = rsa.generate_private_key(public_exponent=65537, key_size=2048)
