#!/bin/sh
# ruleid: bash-path-current-directory
export PATH=.:$PATH
# ruleid: bash-path-current-directory
PATH="$PATH:."
# ok: bash-path-current-directory
export PATH="$PWD/bin:$PATH"
# ok: bash-path-current-directory
PATH="$PATH:/opt/tool/bin"
# ok: bash-path-current-directory
MANPATH=.:$MANPATH
