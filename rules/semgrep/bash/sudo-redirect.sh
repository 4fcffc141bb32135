#!/bin/sh
# ruleid: bash-sudo-redirect
sudo echo "nameserver 10.0.0.2" > /etc/resolv.conf
# ruleid: bash-sudo-redirect
sudo cat hosts.add >> /etc/hosts
# ok: bash-sudo-redirect
echo "nameserver 10.0.0.2" | sudo tee /etc/resolv.conf > /dev/null
# ok: bash-sudo-redirect
sudo sh -c 'echo nameserver > /etc/resolv.conf'
# ok: bash-sudo-redirect
sudo apt-get update > /dev/null
