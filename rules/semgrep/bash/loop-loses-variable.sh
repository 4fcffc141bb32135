#!/bin/bash
total=0
# ruleid: bash-loop-loses-variable
cat sizes.txt | while read -r size; do
  total=$((total + size))
done
echo "$total"

names=""
# ruleid: bash-loop-loses-variable
grep -v '^#' users | while read -r name; do
  names="$names $name"
done
echo "$names"

count=0
# ok: bash-loop-loses-variable
while read -r line; do
  count=$((count + 1))
done < sizes.txt
echo "$count"

# ok: bash-loop-loses-variable
cat sizes.txt | while read -r size; do
  seen=$((seen + 1))
  echo "$seen"
done
