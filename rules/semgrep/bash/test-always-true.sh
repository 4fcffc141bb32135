#!/bin/bash
# ruleid: bash-test-always-true
if [ -n $TARGET ]; then
  echo "deploy to $TARGET"
fi
# ruleid: bash-test-always-true
[ -n ${REGION} ] && echo "$REGION"
# ruleid: bash-test-always-true
if [ "$a"="b" ]; then
  echo equal
fi
# ok: bash-test-always-true
if [ -n "$TARGET" ]; then
  echo yes
fi
# ok: bash-test-always-true
[[ -n $TARGET ]] && echo yes
# ok: bash-test-always-true
[ "$a" = "b" ] && echo equal
