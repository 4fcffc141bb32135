import asyncssh
import paramiko

client = paramiko.SSHClient()
# ruleid: python-ssh-host-key-unchecked
client.set_missing_host_key_policy(paramiko.AutoAddPolicy())


async def connect():
    # ruleid: python-ssh-host-key-unchecked
    return await asyncssh.connect("build.internal", known_hosts=None)


# ok: python-ssh-host-key-unchecked
client.load_system_host_keys()
# ok: python-ssh-host-key-unchecked
client.set_missing_host_key_policy(paramiko.RejectPolicy())
