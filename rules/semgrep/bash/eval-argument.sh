#!/bin/sh
# ruleid: bash-eval-argument
eval "$1"
# ok: bash-eval-argument
"$@"
# ok: bash-eval-argument
eval "$(ssh-agent -s)"
