import random
import secrets
import string
import uuid

# ruleid: python-random-secret
reset_token = "".join(random.choice(string.ascii_letters) for _ in range(20))
# ruleid: python-random-secret
otp = random.randint(100000, 999999)
# ruleid: python-random-secret
session_id = str(uuid.uuid1())


def generate_password(length):
    # ruleid: python-random-secret
    return "".join(random.choices(string.ascii_letters, k=length))


# ok: python-random-secret
delay = random.random()
# ok: python-random-secret
token = secrets.token_urlsafe()
# ok: python-random-secret
max_tokens = random.randint(1, 10)
# ok: python-random-secret
password = "".join(random.SystemRandom().choice(string.digits) for _ in range(9))
