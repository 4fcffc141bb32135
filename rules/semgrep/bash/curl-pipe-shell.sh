#!/bin/sh
# ruleid: bash-curl-pipe-shell
curl -fsSL https://tools.internal/install.sh | sh
# ok: bash-curl-pipe-shell
curl -fsSL -o install.sh https://tools.internal/install.sh
sha256sum -c install.sha256
# ok: bash-curl-pipe-shell
curl -s https://tools.internal/list | sort
