#!/bin/sh
# ruleid: bash-password-argument
mysqldump -u backup --password="$DB_PASSWORD" shop > shop.sql
# ruleid: bash-password-argument
sshpass -p "$PASSWORD" ssh backup@files.internal
# ruleid: bash-password-argument
docker login -u ci -p "$REGISTRY_TOKEN" registry.internal
# ok: bash-password-argument
mysqldump --defaults-extra-file=/run/secrets/my.cnf shop > shop.sql
# ok: bash-password-argument
sshpass -f /run/secrets/password ssh backup@files.internal
# ok: bash-password-argument
echo "$REGISTRY_TOKEN" | docker login -u ci --password-stdin registry.internal
# ok: bash-password-argument
mysql -p shop
