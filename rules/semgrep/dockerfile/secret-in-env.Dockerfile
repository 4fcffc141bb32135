FROM debian:12.5
# ruleid: dockerfile-secret-in-env
ENV DATABASE_PASSWORD=placeholder-value
# ruleid: dockerfile-secret-in-env
ARG NPM_TOKEN
# ruleid: dockerfile-secret-in-env
ENV APP_HOME=/srv/app API_KEY="placeholder-value"
# ok: dockerfile-secret-in-env
ENV DATABASE_PASSWORD_FILE=/run/secrets/database
# ok: dockerfile-secret-in-env
ENV DATABASE_HOST=database.internal
# ok: dockerfile-secret-in-env
ENV TOKEN_LIFETIME=3600
# ok: dockerfile-secret-in-env
ENV MYSQL_ALLOW_EMPTY_PASSWORD=true
