#!/bin/sh
# ruleid: bash-predictable-temp
work=/tmp/build.$$
# ruleid: bash-predictable-temp
sort list > "/tmp/sorted-$$.txt"
# ruleid: bash-predictable-temp
TMP="/var/tmp/job.${RANDOM}"
# ok: bash-predictable-temp
work=$(mktemp -d /tmp/build.XXXXXXXX)
# ok: bash-predictable-temp
sort list > "$work/sorted-$$.txt"
# ok: bash-predictable-temp
mkdir "/tmp/lock" || exit 1
