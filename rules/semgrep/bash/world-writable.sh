#!/bin/sh
# ruleid: bash-world-writable
chmod 777 /srv/app/uploads
# ruleid: bash-world-writable
chmod -R a+rwx /srv/app
# ruleid: bash-world-writable
umask 000
# ok: bash-world-writable
chmod 1777 /srv/scratch
# ok: bash-world-writable
chmod 750 /srv/app/uploads
# ok: bash-world-writable
chmod o-w /srv/app
# ok: bash-world-writable
umask 077
