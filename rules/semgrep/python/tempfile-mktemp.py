import tempfile

# ruleid: python-tempfile-mktemp
name = tempfile.mktemp(suffix=".txt")
# ok: python-tempfile-mktemp
handle, path = tempfile.mkstemp()
