#!/bin/bash
build() {
  # ruleid: bash-status-after-local
  local out=$(make release)
  if [ $? -ne 0 ]; then
    return 1
  fi
  # ruleid: bash-status-after-local
  export VERSION="$(git describe)"
  status=$?
  # ok: bash-status-after-local
  local log
  log=$(make test)
  if [ $? -ne 0 ]; then
    return 1
  fi
  # ok: bash-status-after-local
  local user=$(id -un)
  echo "$user"
}
