#!/bin/sh
# ruleid: bash-test-bashism
if [ "$1" == "start" ]; then
  echo starting
fi
# ruleid: bash-test-bashism
[[ -n "$2" ]] && echo more
# ok: bash-test-bashism
if [ "$1" = "stop" ]; then
  echo stopping
fi
# ok: bash-test-bashism
echo "[[ no test ]]"
# ok: bash-test-bashism
awk '$1 == "x" { print }' list
