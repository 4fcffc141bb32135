import tarfile
import zipfile


def unpack(name):
    with tarfile.open(name) as archive:
        # ruleid: python-tar-extractall
        archive.extractall("/srv")
    # ruleid: python-tar-extractall
    tarfile.open(name).extractall("/srv")
    with tarfile.open(name) as archive:
        # ok: python-tar-extractall
        archive.extractall("/srv", filter="data")
    with zipfile.ZipFile(name) as archive:
        # ok: python-tar-extractall
        archive.extractall("/srv")
