import ssl

import requests

# ruleid: python-tls-verify-off
requests.get("https://gitlab.internal", verify=False, timeout=3)
session = requests.Session()
# ruleid: python-tls-verify-off
session.verify = False
# ruleid: python-tls-verify-off
context = ssl._create_unverified_context()
# ok: python-tls-verify-off
requests.get("https://gitlab.internal", verify="/etc/ssl/internal.pem", timeout=3)
