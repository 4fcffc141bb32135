#!/bin/bash
# ruleid: bash-for-in-ls
for file in $(ls *.csv); do
  gzip "$file"
done
# ruleid: bash-for-in-ls
for file in `ls /srv/in`; do
  gzip "/srv/in/$file"
done
# ok: bash-for-in-ls
for file in ./*.csv; do
  gzip "$file"
done
# ok: bash-for-in-ls
for unit in $(lsblk -no NAME); do
  echo "$unit"
done
