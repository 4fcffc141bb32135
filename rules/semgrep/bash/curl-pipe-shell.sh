#!/bin/sh
# ruleid: bash-curl-pipe-shell
curl -fsSL https://tools.internal/install.sh | sh
# ruleid: bash-curl-pipe-shell
wget -qO- https://tools.internal/install.sh | sudo -E bash -s -- --yes
# ruleid: bash-curl-pipe-shell
bash -c "$(curl -fsSL https://tools.internal/install.sh)"
# ruleid: bash-curl-pipe-shell
bash <(curl -s https://tools.internal/install.sh)
# ok: bash-curl-pipe-shell
curl -fsSL -o install.sh https://tools.internal/install.sh
sha256sum -c install.sha256
# ok: bash-curl-pipe-shell
curl -s https://tools.internal/list | sort
# ok: bash-curl-pipe-shell
echo "run: curl -s https://tools.internal/install.sh | sh"
