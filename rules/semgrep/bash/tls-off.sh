#!/bin/sh
# ruleid: bash-tls-off
curl -k https://vault.internal/ca.pem
# ruleid: bash-tls-off
curl -fsSLk -o tool https://tools.internal/tool
# ruleid: bash-tls-off
wget --no-check-certificate https://tools.internal/tool
# ruleid: bash-tls-off
export NODE_TLS_REJECT_UNAUTHORIZED=0
# ruleid: bash-tls-off
git config --global http.sslVerify false
# ok: bash-tls-off
curl --cacert internal.pem https://vault.internal/ca.pem
# ok: bash-tls-off
curl -K options.txt https://vault.internal/
# ok: bash-tls-off
curl -k https://localhost:8443/health
# ok: bash-tls-off
echo "never use curl -k"
