import tarfile


def unpack(name):
    with tarfile.open(name) as archive:
        # ruleid: python-tar-extractall
        archive.extractall("/srv")
    with tarfile.open(name) as archive:
        # ok: python-tar-extractall
        archive.extractall("/srv", filter="data")
