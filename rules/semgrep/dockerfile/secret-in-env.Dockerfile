FROM debian:12.5
# ruleid: dockerfile-secret-in-env
ENV DATABASE_PASSWORD=placeholder-value
# ok: dockerfile-secret-in-env
ENV DATABASE_PASSWORD=$PASSED_IN
# ok: dockerfile-secret-in-env
ENV DATABASE_HOST=database.internal
