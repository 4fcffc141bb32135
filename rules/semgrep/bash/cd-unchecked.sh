#!/bin/sh
# ruleid: bash-cd-unchecked
cd "$BUILD_DIR"
rm -rf *
# ruleid: bash-cd-unchecked
cd /srv/cache
find . -type f -delete
# ok: bash-cd-unchecked
cd "$BUILD_DIR" || exit 1
rm -rf ./*
# ok: bash-cd-unchecked
cd /srv/cache && rm -rf ./*
# ok: bash-cd-unchecked
cd /srv/cache
rm -rf /srv/other/files
# ok: bash-cd-unchecked
cd /srv/cache
ls
