#!/bin/sh
# ruleid: bash-eval-argument
eval "$1"
# ruleid: bash-eval-argument
eval "deploy_$2 --now"
read -r answer
# ruleid: bash-eval-argument
eval "$answer"
# ok: bash-eval-argument
"$@"
# ok: bash-eval-argument
eval "$(ssh-agent -s)"
# ok: bash-eval-argument
eval set -- "$options"
