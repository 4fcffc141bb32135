#!/usr/bin/env python3
"""Exit with 0 when the Cloister in this container says that it lives; the image has no curl.

The port is fixed, as ports inside a container are; the argument is for tests.
"""

import http.client
import sys

PORT = 8080


def problem(port: int) -> str | None:
    """Return what is wrong with the server on *port*, None when nothing is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"no answer on port {port}: {error!r}"
    return None if status == 200 else f"status {status} on port {port}"


if __name__ == "__main__":
    sys.exit(problem(int(sys.argv[1]) if sys.argv[1:] else PORT))
