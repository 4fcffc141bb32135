#!/bin/sh
# ruleid: bash-output-overwrites-input
sort names.txt > names.txt
# ruleid: bash-output-overwrites-input
jq '.version = 2' "$config" > "$config"
# ruleid: bash-output-overwrites-input
cat list | grep -v old > list
# ok: bash-output-overwrites-input
sort names.txt > sorted.txt
# ok: bash-output-overwrites-input
sort -o names.txt names.txt
# ok: bash-output-overwrites-input
echo more >> names.txt
