import ssl

import aiohttp
import requests

# ruleid: python-tls-verify-off
requests.get("https://gitlab.internal", verify=False, timeout=3)
session = requests.Session()
# ruleid: python-tls-verify-off
session.verify = False
# ruleid: python-tls-verify-off
session.post("https://gitlab.internal", verify=False, timeout=3)
# ruleid: python-tls-verify-off
context = ssl._create_unverified_context()
# ruleid: python-tls-verify-off
connector = aiohttp.TCPConnector(ssl=False)
# ok: python-tls-verify-off
requests.get("https://gitlab.internal", verify="/etc/ssl/internal.pem", timeout=3)
# ok: python-tls-verify-off
form.verify = False
# ok: python-tls-verify-off
strict = ssl.create_default_context(cafile="/etc/ssl/internal.pem")
