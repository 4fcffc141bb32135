FROM debian:12.5
# ruleid: dockerfile-copy-secret-file
COPY id_rsa /root/.ssh/id_rsa
# ruleid: dockerfile-copy-secret-file
COPY --chown=app:app .env /srv/app/.env
# ruleid: dockerfile-copy-secret-file
ADD .npmrc /root/.npmrc
# ok: dockerfile-copy-secret-file
COPY id_rsa.pub /root/.ssh/authorized_keys
# ok: dockerfile-copy-secret-file
COPY .env.example /srv/app/.env.example
# ok: dockerfile-copy-secret-file
COPY --from=build /srv/app /srv/app
