#!/bin/bash
# ruleid: bash-trace-with-secrets
set -x
curl -H "Authorization: Bearer $API_TOKEN" https://api.internal/
set +x
# ruleid: bash-trace-with-secrets
set -eux
deploy --password "${DB_PASSWORD}"
set +x
# ok: bash-trace-with-secrets
set -eu
deploy --password "${DB_PASSWORD}"
# ok: bash-trace-with-secrets
set -x
make all
set +x
curl -H "Authorization: Bearer $API_TOKEN" https://api.internal/
