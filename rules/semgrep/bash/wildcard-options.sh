#!/bin/sh
# ruleid: bash-wildcard-options
tar czf /srv/backup.tgz *
# ruleid: bash-wildcard-options
chown -R app:app *
# ok: bash-wildcard-options
tar czf /srv/backup.tgz ./*
# ok: bash-wildcard-options
chown -R app:app -- *
# ok: bash-wildcard-options
tar czf /srv/backup.tgz *.txt
