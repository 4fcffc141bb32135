import os

import jwt
from cryptography.fernet import Fernet
from flask import Flask

app = Flask(__name__)
# ruleid: python-jwt-hard-coded-key
app.secret_key = "correct horse"
# ruleid: python-jwt-hard-coded-key
token = jwt.encode({"sub": "me"}, "correct horse", algorithm="HS256")
# ruleid: python-jwt-hard-coded-key
box = Fernet(b"Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZSEhISE=")
# ok: python-jwt-hard-coded-key
app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
# ok: python-jwt-hard-coded-key
other = jwt.encode({"sub": "me"}, app.secret_key, algorithm="HS256")
# ok: python-jwt-hard-coded-key
app.config["SESSION_COOKIE_NAME"] = "session"
