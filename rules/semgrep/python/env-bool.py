import argparse
import os

parser = argparse.ArgumentParser()
# ruleid: python-env-bool
parser.add_argument("--fast", type=bool, default=False)
# ruleid: python-env-bool
debug = bool(os.environ.get("DEBUG", "false"))
# ruleid: python-env-bool
verbose = bool(os.getenv("VERBOSE", "0"))
# ok: python-env-bool
parser.add_argument("--slow", action="store_true")
# ok: python-env-bool
trace = os.environ.get("TRACE", "false").lower() == "true"
# ok: python-env-bool
proxied = bool(os.environ.get("HTTPS_PROXY"))
