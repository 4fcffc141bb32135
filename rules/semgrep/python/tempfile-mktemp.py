import tempfile
from tempfile import mktemp

# ruleid: python-tempfile-mktemp
name = tempfile.mktemp(suffix=".txt")
# ruleid: python-tempfile-mktemp
other = mktemp()
# ok: python-tempfile-mktemp
handle, path = tempfile.mkstemp()
# ok: python-tempfile-mktemp
directory = tempfile.mkdtemp()
