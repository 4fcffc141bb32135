import os
from pathlib import Path

# ruleid: python-world-writable
os.chmod("/srv/run.sh", 0o777)
# ruleid: python-world-writable
Path("/srv/data").chmod(0o666)
# ok: python-world-writable
os.chmod("/srv/run.sh", 0o755)
# ok: python-world-writable
Path("/srv/data").chmod(0o640)
# ok: python-world-writable
os.chmod("/srv/tmp", 0o1777)
