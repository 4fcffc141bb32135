import os
import zipfile


def unpack(name, target):
    with zipfile.ZipFile(name) as archive:
        for member in archive.infolist():
            # ruleid: python-zip-member-path
            with open(os.path.join(target, member.filename), "wb") as file:
                file.write(archive.read(member))
        for entry in archive.namelist():
            # ruleid: python-zip-member-path
            with open(os.path.join(target, entry), "wb") as file:
                file.write(archive.read(entry))
        for entry in archive.namelist():
            # ok: python-zip-member-path
            archive.extract(entry, target)
            # ok: python-zip-member-path
            with open(os.path.join(target, os.path.basename(entry)), "wb") as file:
                file.write(archive.read(entry))
            # ok: python-zip-member-path
            with open(os.path.join(target, entry)) as file:
                file.read()
