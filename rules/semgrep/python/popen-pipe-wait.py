import subprocess


def build():
    # ruleid: python-popen-pipe-wait
    process = subprocess.Popen(["make"], stdout=subprocess.PIPE)
    process.wait()
    return process.stdout.read()


def check():
    # ruleid: python-popen-pipe-wait
    process = subprocess.Popen(["make"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    print("started")
    return process.wait() == 0


def fine():
    # ok: python-popen-pipe-wait
    process = subprocess.Popen(["make"], stdout=subprocess.PIPE)
    output, _ = process.communicate()
    process.wait()
    # ok: python-popen-pipe-wait
    other = subprocess.Popen(["make"], stdout=subprocess.DEVNULL)
    other.wait()
    # ok: python-popen-pipe-wait
    third = subprocess.Popen(["make"], stdout=subprocess.PIPE)
    for line in third.stdout:
        print(line)
    third.wait()
    return output
