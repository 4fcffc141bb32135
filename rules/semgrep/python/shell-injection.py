import os
import shlex
import subprocess
import sys


def archive(name):
    # ruleid: python-shell-injection
    subprocess.run(f"tar cf {name}.tar {name}", shell=True, check=True)
    # ruleid: python-shell-injection
    subprocess.check_output("ls " + name, shell=True)
    # ruleid: python-shell-injection
    os.system("rm %s" % name)
    # ruleid: python-shell-injection
    subprocess.getoutput("file {}".format(name))
    # ok: python-shell-injection
    subprocess.run(["tar", "cf", f"{name}.tar", name], check=True)
    # ok: python-shell-injection
    subprocess.run("ls | wc -l", shell=True, check=True)
    # ok: python-shell-injection
    os.system(f"rm {shlex.quote(name)}")
    # ok: python-shell-injection
    os.system("ls " + "-l")
    # ok: python-shell-injection
    os.system(quoted("rm", name + ".tar"))


def indirect(name):
    command = f"tar cf {name}.tar {name}"
    # ruleid: python-shell-injection
    os.system(command)
    # ok: python-shell-injection
    os.system(sys.executable + " -m pip check")
