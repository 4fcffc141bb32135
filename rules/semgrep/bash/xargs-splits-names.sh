#!/bin/sh
# ruleid: bash-xargs-splits-names
find /srv/cache -name '*.tmp' | xargs rm -f
# ruleid: bash-xargs-splits-names
find . -type d -name build -print | xargs -r rm -rf
# ok: bash-xargs-splits-names
find /srv/cache -name '*.tmp' -print0 | xargs -0 rm -f
# ok: bash-xargs-splits-names
find /srv/cache -name '*.tmp' -delete
# ok: bash-xargs-splits-names
find . -name '*.py' | xargs wc -l
