import os
import subprocess


def archive(name):
    # ruleid: python-shell-injection
    subprocess.run(f"tar cf {name}.tar {name}", shell=True, check=True)
    # ruleid: python-shell-injection
    subprocess.check_output("ls " + name, shell=True)
    # ruleid: python-shell-injection
    os.system("rm %s" % name)
    # ok: python-shell-injection
    subprocess.run(["tar", "cf", f"{name}.tar", name], check=True)
    # ok: python-shell-injection
    subprocess.run("ls | wc -l", shell=True, check=True)
