#!/bin/sh
# ruleid: bash-ssh-host-key
ssh -o StrictHostKeyChecking=no deploy@web.internal
# ruleid: bash-ssh-host-key
scp -o UserKnownHostsFile=/dev/null app.tar deploy@web.internal:
# ok: bash-ssh-host-key
ssh -o StrictHostKeyChecking=yes deploy@web.internal
# ok: bash-ssh-host-key
ssh -o StrictHostKeyChecking=accept-new deploy@web.internal
