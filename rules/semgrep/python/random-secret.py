import random
import secrets
import string

# ruleid: python-random-secret
reset_token = "".join(random.choice(string.ascii_letters) for _ in range(20))
# ruleid: python-random-secret
otp = random.randint(100000, 999999)
# ok: python-random-secret
delay = random.random()
# ok: python-random-secret
token = secrets.token_urlsafe()
